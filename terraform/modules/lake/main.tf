# One bucket. Everything in it can be made again from the sources, so old versions are not kept; soft delete is for accidents.

resource "google_storage_bucket" "lake" {
  project                     = var.project
  name                        = var.name
  location                    = var.location
  storage_class               = "STANDARD"
  uniform_bucket_level_access = true
  public_access_prevention    = "enforced"
  force_destroy               = false

  versioning {
    enabled = false
  }
  soft_delete_policy {
    retention_duration_seconds = 7 * 24 * 60 * 60
  }
  dynamic "lifecycle_rule" {
    for_each = { "landing/" = var.landing_days, "staged/" = var.staged_days }
    content {
      action {
        type = "Delete"
      }
      condition {
        age            = lifecycle_rule.value
        matches_prefix = [lifecycle_rule.key]
      }
    }
  }
  lifecycle_rule {
    action {
      type = "AbortIncompleteMultipartUpload"
    }
    condition {
      age = 1
    }
  }
}

# The whole policy: without it the project's viewers may read a new bucket's objects.
resource "google_storage_bucket_iam_policy" "lake" {
  bucket = google_storage_bucket.lake.name
  policy_data = jsonencode({
    bindings = [{ role = "roles/storage.objectAdmin", members = ["serviceAccount:${var.ingest}"] }]
  })
}
