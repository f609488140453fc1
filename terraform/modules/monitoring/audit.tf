# Who read or changed what. BigQuery writes its data access log without being asked; the lake and the secrets don't.

resource "google_project_iam_audit_config" "this" {
  for_each = toset(["storage.googleapis.com", "secretmanager.googleapis.com", "iamcredentials.googleapis.com", "sts.googleapis.com"])
  project  = var.project
  service  = each.value
  dynamic "audit_log_config" {
    for_each = toset(["ADMIN_READ", "DATA_READ", "DATA_WRITE"])
    content {
      log_type = audit_log_config.value
    }
  }
}

resource "google_logging_project_bucket_config" "audit" {
  project        = var.project
  location       = "global"
  bucket_id      = "audit"
  retention_days = var.audit_log_days
}

resource "google_logging_project_sink" "audit" {
  project                = var.project
  name                   = "audit"
  description            = "Every audit log entry into a bucket that keeps it"
  destination            = "logging.googleapis.com/${google_logging_project_bucket_config.audit.id}"
  filter                 = "logName:\"cloudaudit.googleapis.com\""
  unique_writer_identity = true
}
