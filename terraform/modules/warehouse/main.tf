# The datasets and who may read and write each. The pipeline and dbt create the tables.

locals {
  ci = contains(keys(var.identities), "ci") ? ["ci"] : []

  datasets = {
    raw         = { text = "Records as they are now, one table per stream.", writers = ["ingest"], readers = concat(["dbt"], local.ci) }
    raw_history = { text = "Superseded versions of raw records.", writers = ["ingest"], readers = concat(["dbt"], local.ci) }
    raw_stage   = { text = "Stage tables of loads; they expire.", writers = ["ingest"], readers = [] }
    staging     = { text = "dbt: cleaned records and intermediate steps.", writers = ["dbt"], readers = concat(["ingest"], local.ci) }
    mart        = { text = "dbt: what is asked, such as customer lifetime value.", writers = ["dbt"], readers = local.ci }
    ml          = { text = "Features, models and scores.", writers = [], readers = [] }
    ops         = { text = "Ledger, rejects, drift, fences: written by the pipeline only.", writers = ["ingest"], readers = concat(["dbt", "watcher"], local.ci) }
    dq          = { text = "dbt: rows that failed a test.", writers = ["dbt"], readers = [] }
  }
  # Groups of people, by dataset.
  group_readers = { mart = [var.analysts] }

  days = 24 * 60 * 60 * 1000
}

# The list of accesses is complete: what is not in it is taken away, the project's editors and viewers included. The names
# are BigQuery's own for Data Owner, Data Editor and Data Viewer, which is what it answers with.
resource "google_bigquery_dataset" "this" {
  for_each                    = local.datasets
  project                     = var.project
  dataset_id                  = each.key
  location                    = var.location
  description                 = each.value.text
  labels                      = { layer = replace(each.key, "_", "-") }
  default_table_expiration_ms = each.key == "raw_stage" ? var.stage_expiration_days * local.days : null
  max_time_travel_hours       = each.key == "raw_stage" ? 48 : 168
  delete_contents_on_destroy  = false

  access {
    role          = "OWNER"
    special_group = "projectOwners"
  }
  dynamic "access" {
    for_each = each.value.writers
    content {
      role          = "WRITER"
      user_by_email = var.identities[access.value]
    }
  }
  dynamic "access" {
    for_each = each.value.readers
    content {
      role          = "READER"
      user_by_email = var.identities[access.value]
    }
  }
  dynamic "access" {
    for_each = each.key == "mart" ? ["dbt"] : []
    content {
      role          = local.tagger
      user_by_email = var.identities[access.value]
    }
  }
  dynamic "access" {
    for_each = lookup(local.group_readers, each.key, [])
    content {
      role           = "READER"
      group_by_email = access.value
    }
  }
  dynamic "access" {
    # The view reads the ledger for whoever may read the view.
    for_each = each.key == "ops" && var.share_stream_status ? ["stream_status"] : []
    content {
      view {
        project_id = var.project
        dataset_id = "ops"
        table_id   = access.value
      }
    }
  }
}

resource "google_bigquery_table_iam_member" "stream_status" {
  count      = var.share_stream_status ? 1 : 0
  project    = var.project
  dataset_id = google_bigquery_dataset.this["ops"].dataset_id
  table_id   = "stream_status"
  role       = "roles/bigquery.dataViewer"
  member     = "group:${var.analysts}"
}
