{#- The mean of an item's last three bills, this one included. -#}
{% macro mean_of_three(amount) -%}
    avg({{ amount }}) over (
        partition by monthly.client_id, monthly.subscription_item_id order by monthly.period_end
        rows between 2 preceding and current row
    )
{%- endmacro %}
