-- What the balance changed by is what moved less what was withheld. Anything else means that a fee is missing, or that an
-- amount has the wrong sign or exponent.
select client_id, balance_transaction_id, currency, amount, fee, net
from {{ ref('stg_stripe__balance_transactions') }}
where not is_deleted
    and net != amount - fee
