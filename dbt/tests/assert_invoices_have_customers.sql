{{ config(severity='warn') }}

-- An invoice or subscription without customer and account. Stripe has such invoices for some one-off payments: they are revenue and
-- cash of nobody.
select client_id, 'invoice' as object, invoice_id as id
from {{ ref('stg_stripe__invoices') }}
where not is_deleted and customer_id is null and customer_account_id is null
union all
select client_id, 'subscription', subscription_id
from {{ ref('stg_stripe__subscriptions') }}
where not is_deleted and customer_id is null and customer_account_id is null
