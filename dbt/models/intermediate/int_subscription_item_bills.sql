{{ config(
    partition_by={'field': 'billed_on', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'subscription_item_id']
) }}

-- What invoices say that an item comes to in a month: one row per item and stretch of time that lines bill. Lines of drafts say
-- nothing; a renewal that was voided says that nothing is owed for its period. Of a stretch that is a part of a period, as prorations are, the amount is that of the
-- whole period; since it was rounded as a part, it is only exact to `tolerance`.
-- Amounts are without tax and without what a coupon for one bill takes off.
with lines as (
    select
        lines.client_id,
        lines.invoice_id,
        lines.invoice_line_id,
        lines.subscription_id,
        lines.subscription_item_id,
        coalesce(lines.invoice_status = 'void', false) as is_void,
        lower(lines.currency) as currency,
        lines.invoice_created_at,
        lines.period_start,
        lines.period_end,
        coalesce(lines.is_proration, false) as is_proration,
        lines.price_id,
        lines.product_id,
        lines.quantity,
        lines.amount,
        lines.discount_amount,
        lines.billing_credit_amount,
        lines.discount_amounts,
        -- of what is left after discounts
        coalesce(lines.inclusive_tax_amount / nullif(lines.amount - lines.discount_amount, 0), 0) as tax_share
    from {{ ref('stg_stripe__invoice_lines') }} as lines
    cross join {{ ref('int_as_of') }} as moment
    where lines.subscription_item_id is not null
        and not lines.is_deleted
        and coalesce(lines.invoice_status != 'draft', true)
        and not coalesce(lines.invoice_status = 'void' and lines.is_proration, false)
        and lines.period_start < lines.period_end
        and coalesce(lines.invoice_created_at, lines.period_start) < moment.as_of
),

cuts as (
    select
        lines.client_id,
        lines.invoice_id,
        lines.invoice_line_id,
        json_value(cut, '$.discount') as discount_id,
        safe_cast(json_value(cut, '$.amount') as numeric) as amount
    from lines
    cross join unnest(json_query_array(lines.discount_amounts)) as cut
    where lines.discount_amount != 0
),

lasting as (
    select
        cuts.client_id,
        cuts.invoice_id,
        cuts.invoice_line_id,
        sum(case when coalesce(discounts.is_lasting, true) then cuts.amount else numeric '0' end) as minor_amount,
        min(case when coalesce(discounts.is_lasting, true) then discounts.ends_at end) as ends_at
    from cuts
    left join {{ ref('int_discounts') }} as discounts
        on discounts.client_id = cuts.client_id and discounts.discount_id = cuts.discount_id
    group by cuts.client_id, cuts.invoice_id, cuts.invoice_line_id
),

-- charges and credits of one price and quantity over the same time cancel out: two changes in one second
netted as (
    select
        lines.client_id,
        lines.subscription_item_id,
        lines.is_void,
        lines.is_proration,
        lines.period_start,
        lines.period_end,
        lines.price_id,
        lines.quantity,
        max(lines.subscription_id) as subscription_id,
        max(lines.currency) as currency,
        max(lines.product_id) as product_id,
        max(lines.invoice_created_at) as last_billed_at,
        count(*) as line_count,
        max(lines.tax_share) as tax_share,
        min(lasting.ends_at) as discount_ends_at,
        sum(cast(lines.amount * (1 - lines.tax_share) as numeric)) as gross,
        sum(cast(
            (lines.amount - coalesce(lasting.minor_amount * {{ major_per_minor() }}, numeric '0')) * (1 - lines.tax_share)
            - lines.billing_credit_amount
        as numeric)) as net
    from lines
    left join lasting
        on lasting.client_id = lines.client_id
        and lasting.invoice_id = lines.invoice_id
        and lasting.invoice_line_id = lines.invoice_line_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = lines.currency
    group by
        lines.client_id, lines.subscription_item_id, lines.is_void, lines.is_proration, lines.period_start,
        lines.period_end, lines.price_id, lines.quantity
),

-- the lines of a stretch together, one per tier for instance; what only gives back says that the item ended
stretches as (
    select
        client_id,
        subscription_item_id,
        is_proration,
        period_start,
        period_end,
        is_void or (is_proration and logical_and(net <= 0) and sum(net) < 0) as is_unbilled,
        max(subscription_id) as subscription_id,
        max(currency) as currency,
        max(case when not is_proration or net > 0 then price_id end) as price_id,
        max(case when not is_proration or net > 0 then product_id end) as product_id,
        sum(case when not is_proration or net > 0 then quantity end) as quantity,
        sum(case when not is_proration or net > 0 then line_count else 0 end) as line_count,
        max(last_billed_at) as last_billed_at,
        max(tax_share) as tax_share,
        min(discount_ends_at) as discount_ends_at,
        sum(case when not is_proration or net > 0 then gross else numeric '0' end) as gross_bill,
        sum(case when not is_proration or net > 0 then net else numeric '0' end) as net_bill
    from netted
    group by client_id, subscription_item_id, is_void, is_proration, period_start, period_end
    having not is_proration or logical_or(net > 0) or sum(net) < 0
),

-- how often it is billed: by its price, by the item if the price is in no list, else by the length of the stretch
rhythms as (
    select
        stretches.client_id,
        stretches.subscription_item_id,
        stretches.subscription_id,
        stretches.is_proration,
        stretches.is_unbilled,
        stretches.period_start,
        stretches.period_end,
        stretches.currency,
        stretches.price_id,
        stretches.product_id,
        stretches.quantity,
        stretches.line_count,
        stretches.last_billed_at,
        stretches.tax_share,
        stretches.discount_ends_at,
        stretches.gross_bill,
        stretches.net_bill,
        coalesce(prices.usage_type, items.usage_type, 'licensed') = 'metered' as is_metered,
        case
            when prices.recurring_interval is not null then prices.recurring_interval
            when items.recurring_interval is not null then items.recurring_interval
            when stretches.is_proration or stretches.days >= 28 then 'month'
            when mod(stretches.days, 7) = 0 then 'week'
            else 'day'
        end as recurring_interval,
        case
            when prices.recurring_interval is not null then coalesce(prices.recurring_interval_count, 1)
            when items.recurring_interval is not null then coalesce(items.recurring_interval_count, 1)
            when stretches.is_proration then 1
            when stretches.days >= 28 then cast(round(stretches.days / 30.4375) as int64)
            when mod(stretches.days, 7) = 0 then div(stretches.days, 7)
            else stretches.days
        end as recurring_interval_count,
        date(stretches.period_end) as ends_on,
        extract(day from subscriptions.billing_anchored_at) as anchor_day,
        items.subscription_item_id is not null as is_listed
    from (
        select
            stretches.*,
            greatest(cast(round(timestamp_diff(period_end, period_start, second) / 86400) as int64), 1) as days
        from stretches
    ) as stretches
    left join {{ ref('stg_stripe__prices') }} as prices
        on prices.client_id = stretches.client_id and prices.price_id = stretches.price_id
    left join {{ ref('stg_stripe__subscription_items') }} as items
        on items.client_id = stretches.client_id
        and items.subscription_id = stretches.subscription_id
        and items.subscription_item_id = stretches.subscription_item_id
        and items.price_id = stretches.price_id
    left join {{ ref('int_subscriptions') }} as subscriptions
        on subscriptions.client_id = stretches.client_id
        and subscriptions.subscription_id = stretches.subscription_id
),

-- the whole period that ends where the stretch does: months are counted from the day of the anchor, or a month's last day
periods as (
    select
        rhythms.*,
        case recurring_interval
            when 'day' then recurring_interval_count
            when 'week' then 7 * recurring_interval_count
            else date_diff(
                ends_on,
                least(
                    date_add(
                        date_sub(date_trunc(ends_on, month), interval (
                            recurring_interval_count * if(recurring_interval = 'year', 12, 1)
                        ) month),
                        interval (
                            if(ends_on = last_day(ends_on, month), greatest(extract(day from ends_on), coalesce(anchor_day, 0)),
                            extract(day from ends_on)) - 1
                        ) day
                    ),
                    last_day(date_sub(date_trunc(ends_on, month), interval (
                        recurring_interval_count * if(recurring_interval = 'year', 12, 1)
                    ) month), month)
                ),
                day
            )
        end * 86400 as period_seconds,
        timestamp_diff(period_end, period_start, second) as stretch_seconds
    from rhythms
),

-- how often a year; what is no proration is a whole period, unless it is clearly shorter or longer
billed as (
    select
        periods.*,
        case recurring_interval
            when 'year' then 1 when 'month' then 12 when 'week' then 52 when 'day' then 365
        end as bills_per_year,
        12 * recurring_interval_count as months_per_bills,
        case
            when not is_proration and stretch_seconds between 0.88 * period_seconds and 1.12 * period_seconds then 1
            else period_seconds / stretch_seconds
        end as times
    from periods
),

monthly as (
    select
        billed.client_id,
        billed.subscription_item_id,
        billed.subscription_id,
        billed.is_proration,
        billed.is_unbilled,
        billed.is_metered,
        billed.is_listed,
        billed.period_start,
        billed.period_end,
        billed.currency,
        billed.price_id,
        billed.product_id,
        billed.quantity,
        billed.line_count,
        billed.last_billed_at,
        billed.tax_share,
        billed.discount_ends_at,
        billed.recurring_interval,
        billed.recurring_interval_count,
        {{ monthly_amount('billed.gross_bill * billed.times') }} as gross_mrr,
        {{ monthly_amount('billed.net_bill * billed.times') }} as mrr,
        case
            when billed.is_proration or billed.times != 1
                -- Stripe rounds currencies of three decimals to the second one
                then {{ monthly_amount('(billed.line_count + 1) * greatest(' ~ major_per_minor() ~ ", numeric '0.01') * billed.times") }}
            else numeric '0'
        end as tolerance
    from billed
    left join {{ ref('currencies') }} as currencies on currencies.currency = billed.currency
),

-- usage is billed when the period is over and says what to expect of the next one: the mean of the last three bills
averaged as (
    select
        client_id,
        subscription_item_id,
        period_start,
        {{ rounded_money(mean_of_three('monthly.gross_mrr')) }} as gross_mrr,
        {{ rounded_money(mean_of_three('monthly.mrr')) }} as mrr,
        lead(period_start) over (partition by client_id, subscription_item_id order by period_end) as next_start,
        lead(period_end) over (partition by client_id, subscription_item_id order by period_end) as next_end
    from monthly
    left join {{ ref('currencies') }} as currencies on currencies.currency = monthly.currency
    where is_metered and not is_proration
),

placed as (
    select
        monthly.client_id,
        monthly.subscription_item_id,
        monthly.subscription_id,
        monthly.is_proration,
        monthly.is_unbilled,
        monthly.is_metered,
        monthly.currency,
        monthly.price_id,
        monthly.product_id,
        monthly.quantity,
        monthly.line_count,
        monthly.last_billed_at,
        monthly.tax_share,
        monthly.discount_ends_at,
        monthly.recurring_interval,
        monthly.recurring_interval_count,
        monthly.tolerance,
        coalesce(averaged.gross_mrr, monthly.gross_mrr) as gross_mrr,
        coalesce(averaged.mrr, monthly.mrr) as mrr,
        case when monthly.is_metered then monthly.period_end else monthly.period_start end as billed_from,
        case
            when not monthly.is_metered then monthly.period_end
            when averaged.next_start <= timestamp_add(monthly.period_end, interval 1 day) then averaged.next_end
            when averaged.next_start is null and monthly.is_listed
                then timestamp_add(monthly.period_end, interval timestamp_diff(monthly.period_end, monthly.period_start, second) second)
            else monthly.period_end
        end as billed_to
    from monthly
    left join averaged
        on averaged.client_id = monthly.client_id
        and averaged.subscription_item_id = monthly.subscription_item_id
        and averaged.period_start = monthly.period_start
        and monthly.is_metered
    where not (monthly.is_metered and monthly.is_proration)
),

-- of stretches that begin together a proration was billed after the period that it changed; what gives back ends nothing then
ranked as (
    select
        placed.*,
        max(case when not is_unbilled then billed_to end) over (
            partition by client_id, subscription_item_id order by billed_from
            rows between unbounded preceding and 1 preceding
        ) as former_billed_to,
        row_number() over (
            partition by client_id, subscription_item_id, billed_from
            order by case when is_unbilled then 1 else 0 end, case when is_proration then 0 else 1 end, billed_to desc
        ) as preference
    from placed
)

select
    client_id,
    subscription_id,
    subscription_item_id,
    date(billed_from) as billed_on,
    billed_from,
    billed_to,
    lead(billed_from) over items as next_billed_from,
    last_billed_at,
    currency,
    price_id,
    product_id,
    recurring_interval,
    recurring_interval_count,
    quantity,
    line_count,
    is_metered,
    is_proration,
    is_unbilled,
    cast(tax_share as numeric) as tax_share,
    discount_ends_at,
    cast(gross_mrr as numeric) as gross_mrr,
    cast(mrr as numeric) as mrr,
    cast(tolerance as numeric) as tolerance
from ranked
-- what was voided while another bill stands was a change that was taken back
where preference = 1 and coalesce(not (is_unbilled and not is_proration and former_billed_to > billed_from), true)
window items as (partition by client_id, subscription_item_id order by billed_from)
