output "registry" {
  value = "${google_artifact_registry_repository.images.location}-docker.pkg.dev/${google_artifact_registry_repository.images.project}/${google_artifact_registry_repository.images.repository_id}"
}

output "machine" {
  value = google_compute_instance.airflow.name
}

output "zone" {
  value = local.zone
}

output "grants" {
  value = concat(
    [for grant in google_artifact_registry_repository_iam_member.access : "${grant.member} | ${grant.role} | images ${grant.repository}"],
    [for grant in google_iap_tunnel_instance_iam_member.tunnel : "${grant.member} | ${grant.role} | machine ${grant.instance}"],
    [for grant in google_compute_instance_iam_member.login : "${grant.member} | ${grant.role} | machine ${grant.instance_name}"],
  )
}
