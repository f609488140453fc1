output "alerts" {
  description = "Runbook of each alert."
  value       = { for name, alert in local.alerts : name => alert.runbook if contains(keys(google_monitoring_alert_policy.this), name) }
}

output "queries" {
  description = "The scheduled checks, as BigQuery runs them."
  value       = { for name, check in google_bigquery_data_transfer_config.check : name => check.params.query }
}

output "audit" {
  value = {
    days     = google_logging_project_bucket_config.audit.retention_days
    filter   = google_logging_project_sink.audit.filter
    services = keys(google_project_iam_audit_config.this)
  }
}
