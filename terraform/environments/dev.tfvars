# What differs between the environments; everything else is a default in variables.tf. Replace the example's values.
environment          = "dev"
project              = "ml-dev-analytics"
project_number       = "100000000002"
lake_bucket          = "ml-dev-analytics-lake"
state_bucket         = "ml-dev-analytics-terraform"
analysts             = "analysts@example.com"
operators            = "data-platform@example.com"
github_repository    = "example/tributary"
github_repository_id = "100000000"
billing_account      = "000000-000000-000000"
monthly_budget       = 50
alert_email          = "data-platform@example.com"
landing_days         = 14
machine_type         = "e2-standard-2"
