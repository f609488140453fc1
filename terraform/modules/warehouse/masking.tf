# Personal data: a policy tag per kind, as the contracts name them, and what a reader sees who may not see it.

locals {
  kinds = {
    email     = "EMAIL_MASK"
    name      = "ALWAYS_NULL"
    phone     = "LAST_FOUR_CHARACTERS"
    address   = "ALWAYS_NULL"
    free_text = "ALWAYS_NULL"
  }
  # Whoever compares, copies or joins the values needs them as they are.
  in_clear = concat(["dbt", "ingest"], local.ci)
  masked   = ["group:${var.analysts}"]

  clear_pairs  = { for pair in setproduct(keys(local.kinds), local.in_clear) : join(" ", pair) => { kind = pair[0], who = pair[1] } }
  masked_pairs = { for pair in setproduct(keys(local.kinds), local.masked) : join(" ", pair) => { kind = pair[0], who = pair[1] } }
}

resource "google_data_catalog_taxonomy" "pii" {
  project                = var.project
  region                 = lower(var.location)
  display_name           = "Tributary personal data"
  description            = "Kinds of personal data, as the contracts name them"
  activated_policy_types = ["FINE_GRAINED_ACCESS_CONTROL"]
}

resource "google_data_catalog_policy_tag" "kind" {
  for_each     = local.kinds
  taxonomy     = google_data_catalog_taxonomy.pii.id
  display_name = each.key
}

resource "google_bigquery_datapolicy_data_policy" "mask" {
  for_each         = local.kinds
  project          = var.project
  location         = lower(var.location)
  data_policy_id   = "mask_${each.key}"
  policy_tag       = google_data_catalog_policy_tag.kind[each.key].name
  data_policy_type = "DATA_MASKING_POLICY"
  data_masking_policy {
    predefined_expression = each.value
  }
}

resource "google_data_catalog_policy_tag_iam_member" "clear" {
  for_each   = local.clear_pairs
  policy_tag = google_data_catalog_policy_tag.kind[each.value.kind].name
  role       = "roles/datacatalog.categoryFineGrainedReader"
  member     = "serviceAccount:${var.identities[each.value.who]}"
}

resource "google_bigquery_datapolicy_data_policy_iam_member" "masked" {
  for_each       = local.masked_pairs
  project        = var.project
  location       = lower(var.location)
  data_policy_id = google_bigquery_datapolicy_data_policy.mask[each.value.kind].data_policy_id
  role           = "roles/bigquerydatapolicy.maskedReader"
  member         = each.value.who
}

# dbt replaces its tables and puts the tags onto the new ones; Data Editor may not.
resource "google_project_iam_custom_role" "tagger" {
  project     = var.project
  role_id     = "tributaryColumnTagger"
  title       = "Puts policy tags onto columns"
  permissions = ["bigquery.tables.setCategory", "datacatalog.taxonomies.get"]
}

locals {
  tagger = "projects/${google_project_iam_custom_role.tagger.project}/roles/${google_project_iam_custom_role.tagger.role_id}"
}

resource "google_data_catalog_taxonomy_iam_member" "tagger" {
  taxonomy = google_data_catalog_taxonomy.pii.id
  role     = local.tagger
  member   = "serviceAccount:${var.identities["dbt"]}"
}
