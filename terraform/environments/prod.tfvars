# What differs between the environments; everything else is a default in variables.tf. Replace the example's values.
environment          = "prod"
project              = "ml-prod-analytics"
project_number       = "100000000001"
lake_bucket          = "ml-prod-analytics-lake"
state_bucket         = "ml-prod-analytics-terraform"
analysts             = "analysts@example.com"
operators            = "data-platform@example.com"
github_repository    = "example/tributary"
github_repository_id = "100000000"
billing_account      = "000000-000000-000000"
monthly_budget       = 500
alert_email          = "data-platform@example.com"
