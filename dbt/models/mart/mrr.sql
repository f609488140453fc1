{{ config(
    partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

with in_force as (
    select
        months.client_id,
        months.month,
        months.ends_at,
        months.is_closed,
        terms.subscription_id,
        terms.customer_id,
        terms.currency,
        states.subscription_item_id,
        states.price_id,
        states.quantity
    from {{ ref('int_months') }} as months
    inner join {{ ref('int_subscription_terms') }} as terms
        on terms.client_id = months.client_id
        and terms.paid_from < months.ends_at
        and coalesce(terms.paid_until >= months.ends_at, true)
    inner join {{ ref('int_subscription_item_states') }} as states
        on states.client_id = terms.client_id
        and states.subscription_id = terms.subscription_id
        and states.state_from < months.ends_at
        and coalesce(states.state_to >= months.ends_at, true)
),

-- packages of a price that is sold by the dozen, say
counted as (
    select
        in_force.client_id,
        in_force.month,
        in_force.ends_at,
        in_force.is_closed,
        in_force.subscription_id,
        in_force.customer_id,
        in_force.currency,
        in_force.subscription_item_id,
        in_force.price_id,
        in_force.quantity,
        prices.product_id,
        prices.unit_amount,
        prices.recurring_interval,
        prices.recurring_interval_count,
        case
            when prices.transform_divide_by is null then cast(in_force.quantity as numeric)
            when prices.transform_round = 'down' then cast(floor(in_force.quantity / prices.transform_divide_by) as numeric)
            else cast(ceil(in_force.quantity / prices.transform_divide_by) as numeric)
        end as units
    from in_force
    inner join {{ ref('stg_stripe__prices') }} as prices
        on prices.client_id = in_force.client_id and prices.price_id = in_force.price_id
),

tiered as (
    select
        counted.client_id,
        counted.month,
        counted.subscription_item_id,
        sum(case
            when tiers.tiers_mode = 'volume' then
                case
                    when counted.units > tiers.above and coalesce(counted.units <= tiers.up_to, true)
                        then counted.units * tiers.unit_amount + tiers.flat_amount
                    else numeric '0'
                end
            when counted.units > tiers.above then
                (least(counted.units, coalesce(tiers.up_to, counted.units)) - tiers.above) * tiers.unit_amount
                + tiers.flat_amount
            else numeric '0'
        end) as amount
    from counted
    inner join {{ ref('int_price_tiers') }} as tiers
        on tiers.client_id = counted.client_id and tiers.price_id = counted.price_id
    group by counted.client_id, counted.month, counted.subscription_item_id
),

-- per bill, and how many bills there are in a year
billed as (
    select
        counted.client_id,
        counted.month,
        counted.ends_at,
        counted.is_closed,
        counted.subscription_id,
        counted.customer_id,
        counted.currency,
        counted.subscription_item_id,
        counted.price_id,
        counted.quantity,
        counted.product_id,
        counted.recurring_interval,
        counted.recurring_interval_count,
        coalesce(tiered.amount, counted.unit_amount * counted.units, numeric '0') as bill,
        case counted.recurring_interval
            when 'year' then 1 when 'month' then 12 when 'week' then 52 when 'day' then 365
        end as bills_per_year,
        12 * coalesce(counted.recurring_interval_count, 1) as months_per_bills
    from counted
    left join tiered
        on tiered.client_id = counted.client_id
        and tiered.month = counted.month
        and tiered.subscription_item_id = counted.subscription_item_id
),

-- up to three discounts at once; each is on what the ones before have left
discounted as (
    select
        client_id,
        month,
        subscription_item_id,
        max(case when position = 1 then percent_off else numeric '0' end) as first_percent,
        max(case when position = 2 then percent_off else numeric '0' end) as second_percent,
        max(case when position = 3 then percent_off else numeric '0' end) as third_percent,
        sum(amount_off) as amount_off
    from (
        select
            billed.client_id,
            billed.month,
            billed.subscription_item_id,
            discounts.percent_off,
            case when discounts.currency = billed.currency then discounts.amount_off else numeric '0' end as amount_off,
            row_number() over (
                partition by billed.client_id, billed.month, billed.subscription_item_id
                order by discounts.started_at, discounts.discount_id
            ) as position
        from billed
        inner join {{ ref('int_recurring_discounts') }} as discounts
            on discounts.client_id = billed.client_id
            and (
                discounts.subscription_id = billed.subscription_id
                or (discounts.subscription_id is null and discounts.customer_id = billed.customer_id)
            )
            and coalesce(discounts.subscription_item_id = billed.subscription_item_id, true)
            and discounts.started_at < billed.ends_at
            and coalesce(discounts.ends_at >= billed.ends_at, true)
    )
    group by client_id, month, subscription_item_id
),

monthly as (
    select
        billed.client_id,
        billed.month,
        billed.ends_at,
        billed.is_closed,
        billed.subscription_id,
        billed.subscription_item_id,
        billed.customer_id,
        billed.price_id,
        billed.product_id,
        billed.recurring_interval,
        billed.recurring_interval_count,
        billed.quantity,
        billed.currency,
        {{ monthly_amount('billed.bill') }} as gross_mrr,
        greatest({{ monthly_amount(
            "(billed.bill"
            " * (100 - coalesce(discounted.first_percent, numeric '0')) / 100"
            " * (100 - coalesce(discounted.second_percent, numeric '0')) / 100"
            " * (100 - coalesce(discounted.third_percent, numeric '0')) / 100"
            " - coalesce(discounted.amount_off * billed.bill / nullif(sum(billed.bill) over ("
            "partition by billed.client_id, billed.month, billed.subscription_id), 0), numeric '0'))"
        ) }}, numeric '0') as mrr
    from billed
    left join discounted
        on discounted.client_id = billed.client_id
        and discounted.month = billed.month
        and discounted.subscription_item_id = billed.subscription_item_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = billed.currency
)

select
    monthly.client_id,
    monthly.month,
    monthly.is_closed,
    monthly.subscription_id,
    monthly.subscription_item_id,
    monthly.customer_id,
    customers.person_key,
    monthly.price_id,
    monthly.product_id,
    products.product_name,
    monthly.recurring_interval,
    monthly.recurring_interval_count,
    monthly.quantity,
    monthly.currency,
    monthly.gross_mrr,
    cast(monthly.gross_mrr - monthly.mrr as numeric) as discount_mrr,
    cast(monthly.mrr as numeric) as mrr,
    rates.reporting_currency,
    {{ rounded_money('monthly.mrr * rates.rate', 'reporting') }} as reporting_mrr
from monthly
left join {{ ref('int_customer_persons') }} as customers
    on customers.client_id = monthly.client_id and customers.customer_id = monthly.customer_id
left join {{ ref('stg_stripe__products') }} as products
    on products.client_id = monthly.client_id and products.product_id = monthly.product_id
left join {{ ref('int_exchange_rates') }} as rates
    on rates.client_id = monthly.client_id
    and rates.currency = monthly.currency
    and rates.rate_date = date(timestamp_sub(monthly.ends_at, interval 1 microsecond))
left join {{ ref('currencies') }} as reporting on reporting.currency = rates.reporting_currency
