output "policy_tags" {
  value = { for kind, tag in google_data_catalog_policy_tag.kind : kind => tag.name }
}

output "datasets" {
  value = google_bigquery_dataset.this
}

output "grants" {
  value = concat(
    flatten([
      for name, dataset in google_bigquery_dataset.this : [
        for access in dataset.access : join(" | ", [
          one(compact(concat(
            [access.special_group],
            [try("serviceAccount:${access.user_by_email}", "")],
            [try("group:${access.group_by_email}", "")],
            [for view in access.view : "view ${view.dataset_id}.${view.table_id}"],
          ))),
          access.role == null || access.role == "" ? "read" : access.role,
          "dataset ${name}",
        ])
      ]
    ]),
    [for grant in google_bigquery_table_iam_member.stream_status : "${grant.member} | ${grant.role} | table ${grant.dataset_id}.${grant.table_id}"],
    [for name, grant in google_data_catalog_policy_tag_iam_member.clear : "${grant.member} | ${grant.role} | policy tag ${local.clear_pairs[name].kind}"],
    ["${google_data_catalog_taxonomy_iam_member.tagger.member} | ${google_data_catalog_taxonomy_iam_member.tagger.role} | taxonomy"],
    [
      for permission in google_project_iam_custom_role.tagger.permissions :
      "role ${google_project_iam_custom_role.tagger.role_id} | ${permission} | project"
    ],
    [for grant in google_bigquery_datapolicy_data_policy_iam_member.masked : "${grant.member} | ${grant.role} | data policy ${grant.data_policy_id}"],
  )
}
