{{ config(
    partition_by={'field': 'month', 'data_type': 'date', 'granularity': 'month'},
    cluster_by=['client_id', 'currency']
) }}

-- Every item that is paid for at the end of a month, with the bill that covers that moment and what was agreed on by then. The
-- bill decides; what was agreed on decides where it has changed since, and where no bill has come yet.
with bills as (
    select
        bills.client_id,
        months.month,
        bills.subscription_item_id,
        bills.subscription_id,
        bills.currency,
        bills.price_id,
        bills.product_id,
        bills.recurring_interval,
        bills.recurring_interval_count,
        bills.quantity,
        bills.line_count,
        bills.is_metered,
        bills.is_unbilled,
        bills.tax_share,
        bills.discount_ends_at,
        bills.gross_mrr,
        bills.mrr,
        bills.tolerance,
        bills.billed_from,
        bills.next_billed_from,
        bills.billed_to >= months.ends_at as is_covering
    from {{ ref('int_subscription_item_bills') }} as bills
    cross join {{ ref('int_as_of') }} as moment
    cross join unnest(generate_date_array(
        date_trunc(date_sub(bills.billed_on, interval 1 day), month),
        date_add(date(coalesce(bills.next_billed_from, moment.as_of)), interval 1 day),
        interval 1 month
    )) as billed_month
    inner join {{ ref('int_months') }} as months
        on months.client_id = bills.client_id
        and months.month = billed_month
        and bills.billed_from < months.ends_at
        and coalesce(bills.next_billed_from >= months.ends_at, true)
),

states as (
    select
        states.client_id,
        months.month,
        states.subscription_item_id,
        states.subscription_id,
        states.price_id,
        states.quantity,
        states.state_from,
        states.state_to,
        states.is_change
    from {{ ref('int_subscription_item_states') }} as states
    inner join {{ ref('int_months') }} as months
        on months.client_id = states.client_id
        and states.state_from < months.ends_at
        and coalesce(states.state_to >= months.ends_at, true)
),

-- one row per item and month in which it is paid for, taken off items left out
paid as (
    select
        months.client_id,
        months.month,
        months.ends_at,
        months.is_closed,
        terms.subscription_id,
        terms.customer_id,
        terms.currency,
        subscriptions.is_billed,
        coalesce(bills.subscription_item_id, states.subscription_item_id) as subscription_item_id,
        bills.subscription_item_id is not null as has_bill,
        coalesce(
            states.state_from > bills.billed_from
            and not bills.is_metered
            and (
                states.price_id != bills.price_id
                -- the lines of several tiers don't say how many units they are together
                or (states.quantity != bills.quantity and (bills.line_count = 1 or states.is_change))
            ),
            false
        ) as is_changed,
        states.price_id as agreed_price_id,
        states.quantity as agreed_quantity,
        states.state_to,
        bills.price_id as bill_price_id,
        bills.product_id as bill_product_id,
        bills.quantity as bill_quantity,
        bills.line_count,
        bills.currency as bill_currency,
        bills.recurring_interval as bill_interval,
        bills.recurring_interval_count as bill_interval_count,
        bills.is_metered,
        bills.is_unbilled,
        bills.is_covering,
        coalesce(bills.tax_share, numeric '0') as tax_share,
        bills.discount_ends_at,
        bills.gross_mrr as bill_gross_mrr,
        bills.mrr as bill_mrr,
        bills.tolerance,
        bills.next_billed_from
    from bills
    full join states
        on states.client_id = bills.client_id
        and states.month = bills.month
        and states.subscription_item_id = bills.subscription_item_id
    inner join {{ ref('int_months') }} as months
        on months.client_id = coalesce(bills.client_id, states.client_id)
        and months.month = coalesce(bills.month, states.month)
    inner join {{ ref('int_subscription_terms') }} as terms
        on terms.client_id = months.client_id
        and terms.subscription_id = coalesce(bills.subscription_id, states.subscription_id)
        and terms.paid_from < months.ends_at
        and coalesce(terms.paid_until >= months.ends_at, true)
    inner join {{ ref('int_subscriptions') }} as subscriptions
        on subscriptions.client_id = terms.client_id and subscriptions.subscription_id = terms.subscription_id
    left join {{ ref('int_subscription_item_ends') }} as ends
        on ends.client_id = months.client_id
        and ends.subscription_item_id = coalesce(bills.subscription_item_id, states.subscription_item_id)
    where coalesce(ends.ended_at >= months.ends_at, true)
        -- a stretch between two bills is a pause, and what was given back or voided isn't owed
        and coalesce(not bills.is_unbilled, true)
        and (
            bills.is_covering
            or (
                states.subscription_item_id is not null
                and bills.next_billed_from is null
                and subscriptions.is_billed
            )
        )
),

first_bills as (
    select client_id, subscription_item_id, min(billed_from) as billed_from
    from {{ ref('int_subscription_item_bills') }}
    where not is_unbilled
    group by client_id, subscription_item_id
),

-- what was agreed on before a bill came is what that bill says, if it was agreed on still
looked_ahead as (
    select
        paid.*,
        case when paid.has_bill and not paid.is_changed then paid.bill_price_id else paid.agreed_price_id end as price_id,
        case
            when paid.is_metered then cast(null as numeric)
            when paid.has_bill
                and not paid.is_changed
                and not coalesce(paid.line_count > 1 and paid.bill_price_id = paid.agreed_price_id, false)
                then paid.bill_quantity
            else cast(paid.agreed_quantity as numeric)
        end as quantity,
        later.is_metered as is_later_metered,
        later.gross_mrr as later_gross_mrr,
        later.mrr as later_mrr,
        later.price_id is not null
            and not later.is_unbilled
            and coalesce(paid.state_to >= later.billed_from, true)
            and later.price_id
            = case when paid.has_bill and not paid.is_changed then paid.bill_price_id else paid.agreed_price_id end
            and (
                later.line_count > 1
                or later.quantity
                = case when paid.has_bill and not paid.is_changed then paid.bill_quantity else paid.agreed_quantity end
            ) as is_confirmed
    from paid
    left join first_bills as firsts
        on firsts.client_id = paid.client_id and firsts.subscription_item_id = paid.subscription_item_id
    left join {{ ref('int_subscription_item_bills') }} as later
        on later.client_id = paid.client_id
        and later.subscription_item_id = paid.subscription_item_id
        and later.billed_from = case when paid.has_bill then paid.next_billed_from else firsts.billed_from end
),

priced as (
    select
        ahead.*,
        coalesce(prices.product_id, items.product_id, ahead.bill_product_id) as product_id,
        coalesce(
            case when not ahead.is_changed then ahead.bill_interval end,
            prices.recurring_interval,
            items.recurring_interval
        ) as recurring_interval,
        coalesce(
            case when not ahead.is_changed then ahead.bill_interval_count end,
            prices.recurring_interval_count,
            items.recurring_interval_count,
            1
        ) as recurring_interval_count,
        -- the list says what a price is in one currency; of a price that it leaves out the item says it
        case
            when prices.price_id is null then items.unit_amount
            when lower(prices.currency) = ahead.currency and coalesce(prices.billing_scheme != 'tiered', true)
                then prices.unit_amount
        end as unit_amount,
        -- packages of a price that is sold by the dozen, say
        case
            when prices.transform_divide_by is null then ahead.quantity
            when prices.transform_round = 'down' then cast(floor(ahead.quantity / prices.transform_divide_by) as numeric)
            else cast(ceil(ahead.quantity / prices.transform_divide_by) as numeric)
        end as units,
        lower(prices.currency) = ahead.currency as is_listed_in_currency
    from looked_ahead as ahead
    left join {{ ref('stg_stripe__prices') }} as prices
        on prices.client_id = ahead.client_id and prices.price_id = ahead.price_id
    left join {{ ref('stg_stripe__subscription_items') }} as items
        on items.client_id = ahead.client_id
        and items.subscription_id = ahead.subscription_id
        and items.subscription_item_id = ahead.subscription_item_id
        and items.price_id = ahead.price_id
    -- usage that no bill has measured yet is unknown
    where ahead.has_bill
        or not coalesce(
            ahead.is_later_metered, prices.usage_type = 'metered', items.usage_type = 'metered', ahead.quantity is null
        )
),

tiered as (
    select
        priced.client_id,
        priced.month,
        priced.subscription_item_id,
        sum(case
            when tiers.tiers_mode = 'volume' then
                case
                    when priced.units > tiers.above and coalesce(priced.units <= tiers.up_to, true)
                        then priced.units * tiers.unit_amount + tiers.flat_amount
                    else numeric '0'
                end
            when priced.units > tiers.above then
                (least(priced.units, coalesce(tiers.up_to, priced.units)) - tiers.above) * tiers.unit_amount
                + tiers.flat_amount
            else numeric '0'
        end) as amount
    from priced
    inner join {{ ref('int_price_tiers') }} as tiers
        on tiers.client_id = priced.client_id and tiers.price_id = priced.price_id
    where priced.is_listed_in_currency
    group by priced.client_id, priced.month, priced.subscription_item_id
),

-- what price and quantity say, per bill, and how many bills there are in a year
billed as (
    select
        priced.*,
        coalesce(tiered.amount, priced.unit_amount * priced.units) as bill,
        case priced.recurring_interval
            when 'year' then 1 when 'month' then 12 when 'week' then 52 when 'day' then 365
        end as bills_per_year,
        12 * priced.recurring_interval_count as months_per_bills
    from priced
    left join tiered
        on tiered.client_id = priced.client_id
        and tiered.month = priced.month
        and tiered.subscription_item_id = priced.subscription_item_id
),

-- discounts in their order: each is on what the ones before have left, a fixed amount is spread over the items that it lowers
discounts as (
    select
        billed.client_id,
        billed.month,
        billed.subscription_item_id,
        discounts.has_terms,
        discounts.percent_off,
        case
            when discounts.currency = billed.currency then coalesce(
                discounts.amount_off * billed.bill / nullif(sum(billed.bill) over (
                    partition by billed.client_id, billed.month, billed.subscription_id, discounts.discount_id
                ), 0),
                numeric '0'
            )
            else numeric '0'
        end as amount_off,
        row_number() over (
            partition by billed.client_id, billed.month, billed.subscription_item_id
            order by
                case when discounts.subscription_item_id is null then 1 else 0 end,
                discounts.started_at,
                discounts.discount_id
        ) as position
    from billed
    inner join {{ ref('int_discounts') }} as discounts
        on discounts.client_id = billed.client_id
        and (
            discounts.subscription_id = billed.subscription_id
            or (discounts.subscription_id is null and discounts.customer_id = billed.customer_id)
        )
        and coalesce(discounts.subscription_item_id = billed.subscription_item_id, true)
        and discounts.started_at < billed.ends_at
        and coalesce(discounts.ends_at >= billed.ends_at, true)
    where discounts.is_lasting
),

folded as (
    select
        client_id,
        month,
        subscription_item_id,
        has_terms,
        percent_off,
        amount_off,
        case
            when sum(case when percent_off >= 100 then 1 else 0 end) over later > 0 then 0
            else exp(coalesce(sum(ln(case when percent_off < 100 then cast(1 - percent_off / 100 as float64) end)) over later, 0))
        end as left_by_later
    from discounts
    window later as (
        partition by client_id, month, subscription_item_id order by position
        rows between 1 following and unbounded following
    )
),

discounted as (
    select
        client_id,
        month,
        subscription_item_id,
        logical_and(has_terms) as has_terms,
        case
            when countif(percent_off >= 100) > 0 then 0
            else exp(sum(ln(case when percent_off < 100 then cast(1 - percent_off / 100 as float64) end)))
        end as share_left,
        sum(amount_off * left_by_later) as amount_off
    from folded
    group by client_id, month, subscription_item_id
),

estimated as (
    select
        billed.*,
        {{ monthly_amount("billed.bill * (1 - billed.tax_share)") }} as list_mrr,
        case
            when coalesce(discounted.has_terms, true) then greatest({{ monthly_amount(
                "(billed.bill * coalesce(discounted.share_left, 1) - coalesce(discounted.amount_off, 0))"
                " * (1 - billed.tax_share)"
            ) }}, numeric '0')
            -- the coupon is gone, what it took off the last bill isn't
            else {{ monthly_amount(
                "billed.bill * (1 - billed.tax_share) * (billed.bill_mrr / nullif(billed.bill_gross_mrr, 0))"
            ) }}
        end as estimated_mrr
    from billed
    left join discounted
        on discounted.client_id = billed.client_id
        and discounted.month = billed.month
        and discounted.subscription_item_id = billed.subscription_item_id
    left join {{ ref('currencies') }} as currencies on currencies.currency = billed.currency
),

judged as (
    select
        estimated.*,
        case
            when has_bill and not is_changed and is_metered then 'averaged'
            when has_bill and not is_changed and is_covering then 'billed'
            when is_confirmed and (is_changed or not has_bill) then 'billed'
            when has_bill and not is_changed then 'estimated'
            when estimated_mrr is null then 'unknown'
            else 'estimated'
        end as basis,
        -- which amount: of a part of a period the exact one that it was rounded from, if a bill or the price tells
        case
            when has_bill and not is_changed then
                case
                    when is_metered then 'bill'
                    when tolerance > 0 and is_confirmed and abs(later_mrr - bill_mrr) <= tolerance then 'later'
                    when tolerance > 0 and abs(estimated_mrr - bill_mrr) <= tolerance then 'price'
                    when not is_covering and coalesce(discount_ends_at < ends_at, false) then 'undiscounted'
                    else 'bill'
                end
            when is_confirmed then 'later'
            else 'price'
        end as taken_from
    from estimated
),

monthly as (
    select
        judged.*,
        case taken_from when 'price' then list_mrr when 'later' then later_gross_mrr else bill_gross_mrr end as gross_mrr,
        case taken_from
            when 'price' then estimated_mrr
            when 'later' then later_mrr
            when 'undiscounted' then bill_gross_mrr
            else bill_mrr
        end as mrr
    from judged
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
    cast(round(monthly.quantity) as int64) as quantity,
    monthly.currency,
    monthly.basis,
    cast(monthly.gross_mrr as numeric) as gross_mrr,
    cast(monthly.gross_mrr - monthly.mrr as numeric) as discount_mrr,
    cast(monthly.mrr as numeric) as mrr,
    cast(monthly.estimated_mrr as numeric) as estimated_mrr,
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
