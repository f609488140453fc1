# What a dataset, the lake and the watching are set to.

mock_provider "google" {
  mock_resource "google_bigquery_data_transfer_config" {
    defaults = { name = "projects/1/locations/eu/transferConfigs/abc" }
  }
}

variables {
  environment          = "prod"
  project              = "prod-project"
  project_number       = "100000000001"
  location             = "EU"
  region               = "europe-west1"
  lake_bucket          = "lake"
  state_bucket         = "state"
  analysts             = "analysts@example.com"
  operators            = "operators@example.com"
  github_repository    = "example/tributary"
  github_repository_id = "7"
  billing_account      = "000000-000000-000000"
  monthly_budget       = 500
  alert_email          = "alerts@example.com"
  landing_days         = 30
  staged_days          = 5
  loaded               = true
}

run "warehouse" {
  assert {
    condition     = toset(keys(module.warehouse.datasets)) == toset(["raw", "raw_history", "raw_stage", "staging", "mart", "ml", "ops", "dq"])
    error_message = "These are not the datasets of the design."
  }
  assert {
    condition     = alltrue([for dataset in module.warehouse.datasets : dataset.location == "EU" && !dataset.delete_contents_on_destroy && dataset.labels["layer"] != ""])
    error_message = "A dataset lies elsewhere, is deleted with its contents, or has no label."
  }
  assert {
    condition     = [for name, dataset in module.warehouse.datasets : name if dataset.default_table_expiration_ms != null] == ["raw_stage"]
    error_message = "Tables expire in raw_stage and nowhere else."
  }
  assert {
    condition     = module.warehouse.datasets["raw"].max_time_travel_hours == "168"
    error_message = "raw must be restorable for seven days (docs/runbooks/restore-a-table.md)."
  }
  assert {
    condition     = toset(keys(output.policy_tags)) == toset(["email", "name", "phone", "address", "free_text"])
    error_message = "Policy tags are the kinds of personal data that contracts know."
  }
}

run "lake" {
  assert {
    condition = {
      for rule in module.lake.settings.lifecycle_rule : one(one(rule.condition).matches_prefix) => one(rule.condition).age
      if one(rule.action).type == "Delete"
    } == { "landing/" = 30, "staged/" = 5 }
    error_message = "landing/ and staged/ expire, each after its own time, and nothing else does."
  }
  assert {
    condition = (
      module.lake.settings.uniform_bucket_level_access && module.lake.settings.public_access_prevention == "enforced" &&
      !one(module.lake.settings.versioning).enabled && one(module.lake.settings.soft_delete_policy).retention_duration_seconds == 604800
    )
    error_message = "The lake has uniform access, is never public, keeps no versions and can be undeleted for a week."
  }
}

run "monitoring" {
  assert {
    condition     = toset(keys(module.monitoring.alerts)) == toset(["dag_failed", "stale", "rejects"])
    error_message = "An alert is missing."
  }
  assert {
    condition = alltrue([for stream in ["'stripe' as source, 'invoices' as stream", "'hubspot' as source, 'contacts' as stream"] :
    strcontains(module.monitoring.queries["stale"], stream)])
    error_message = "The check of freshness doesn't know every stream of the contracts."
  }
  assert {
    condition     = module.monitoring.audit.days == 400 && module.monitoring.audit.filter == "logName:\"cloudaudit.googleapis.com\""
    error_message = "The audit log is kept whole, for 400 days."
  }
}

run "monitoring_before_the_first_load" {
  variables {
    loaded = false
  }
  assert {
    condition     = keys(module.monitoring.alerts) == ["dag_failed"]
    error_message = "The ops tables don't exist yet, so nothing may query them."
  }
}
