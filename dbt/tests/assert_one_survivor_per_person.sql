-- A person without a survivor would be lost in the CRM, one with two would be written to twice.
select
    persons.client_id,
    persons.person_key,
    countif(records.is_survivor) as survivors
from {{ ref('int_persons') }} as persons
left join {{ ref('person_records') }} as records
    on records.client_id = persons.client_id and records.person_key = persons.person_key
group by persons.client_id, persons.person_key
having countif(records.is_survivor) != 1
