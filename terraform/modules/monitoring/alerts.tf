locals {
  runbooks = "docs/runbooks"

  alerts = merge(
    {
      dag_failed = {
        title   = "A DAG run failed"
        runbook = "dag-failed.md"
        filter  = "log_id(\"gcplogs-docker-driver\") AND jsonPayload.message=~\"Marking run <DagRun .*> failed\""
      }
    },
    {
      for name, check in google_bigquery_data_transfer_config.check : name => {
        title   = local.checks[name].title
        runbook = local.checks[name].runbook
        filter  = "resource.type=\"bigquery_dts_config\" AND severity>=ERROR AND resource.labels.config_id=\"${basename(check.name)}\""
      }
    },
  )
}

resource "google_monitoring_notification_channel" "mail" {
  project      = var.project
  display_name = "Tributary alerts"
  type         = "email"
  labels       = { email_address = var.alert_email }
}

resource "google_monitoring_alert_policy" "this" {
  for_each              = local.alerts
  project               = var.project
  display_name          = "Tributary: ${each.value.title}"
  combiner              = "OR"
  notification_channels = [google_monitoring_notification_channel.mail.id]
  user_labels           = { alert = each.key }

  conditions {
    display_name = each.value.title
    condition_matched_log {
      filter = each.value.filter
    }
  }
  documentation {
    mime_type = "text/markdown"
    content   = "What to do: `${local.runbooks}/${each.value.runbook}` in the repository."
  }
  alert_strategy {
    auto_close = "86400s"
    notification_rate_limit {
      period = "3600s"
    }
  }
}

resource "google_billing_budget" "this" {
  billing_account = var.billing_account
  display_name    = "Tributary ${var.project}"

  budget_filter {
    projects = ["projects/${var.project_number}"]
  }
  amount {
    specified_amount {
      units = tostring(var.monthly_budget)
    }
  }
  dynamic "threshold_rules" {
    for_each = [0.5, 0.9, 1.0]
    content {
      threshold_percent = threshold_rules.value
    }
  }
  threshold_rules {
    threshold_percent = 1.0
    spend_basis       = "FORECASTED_SPEND"
  }
  all_updates_rule {
    monitoring_notification_channels = [google_monitoring_notification_channel.mail.id]
  }
}
