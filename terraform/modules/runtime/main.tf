# One machine that runs docker-compose.yaml, and the registry that its image comes from. The machine has no address on the
# internet: it is reached through Identity-Aware Proxy, and reaches the APIs through NAT. Airflow on Kubernetes or Composer
# needs none of this, see docs/deployment.md.

locals {
  zone = "${var.region}-b"
  people = {
    operators = "group:${var.operators}"
    deploy    = "serviceAccount:${var.deploy}"
  }
}

resource "google_artifact_registry_repository" "images" {
  project       = var.project
  location      = var.region
  repository_id = "tributary"
  format        = "DOCKER"
  description   = "Images of Tributary, named by commit"
  docker_config {
    immutable_tags = true
  }
  cleanup_policies {
    id     = "keep-recent"
    action = "KEEP"
    most_recent_versions {
      keep_count = 20
    }
  }
  cleanup_policies {
    id     = "delete-old"
    action = "DELETE"
    condition {
      older_than = "7776000s"
    }
  }
}

resource "google_artifact_registry_repository_iam_member" "access" {
  for_each   = { airflow = ["roles/artifactregistry.reader", var.airflow], deploy = ["roles/artifactregistry.writer", var.deploy] }
  project    = var.project
  location   = google_artifact_registry_repository.images.location
  repository = google_artifact_registry_repository.images.repository_id
  role       = each.value[0]
  member     = "serviceAccount:${each.value[1]}"
}

resource "google_compute_network" "this" {
  project                 = var.project
  name                    = "tributary"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "this" {
  project                  = var.project
  name                     = "tributary"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = "10.10.0.0/28"
  private_ip_google_access = true
}

resource "google_compute_router" "this" {
  project = var.project
  name    = "tributary"
  region  = var.region
  network = google_compute_network.this.id
}

resource "google_compute_router_nat" "this" {
  project                            = var.project
  name                               = "tributary"
  region                             = var.region
  router                             = google_compute_router.this.name
  nat_ip_allocate_option             = "AUTO_ONLY"
  source_subnetwork_ip_ranges_to_nat = "ALL_SUBNETWORKS_ALL_IP_RANGES"
}

resource "google_compute_firewall" "proxy" {
  project       = var.project
  name          = "tributary-from-identity-aware-proxy"
  network       = google_compute_network.this.id
  source_ranges = ["35.235.240.0/20"]
  target_tags   = ["tributary"]
  allow {
    protocol = "tcp"
    ports    = ["22", "8080"]
  }
}

resource "google_compute_resource_policy" "snapshots" {
  project = var.project
  name    = "tributary-daily"
  region  = var.region
  snapshot_schedule_policy {
    schedule {
      daily_schedule {
        days_in_cycle = 1
        start_time    = "04:00"
      }
    }
    retention_policy {
      max_retention_days    = 14
      on_source_disk_delete = "KEEP_AUTO_SNAPSHOTS"
    }
  }
}

resource "google_compute_disk" "data" {
  project = var.project
  name    = "tributary-data"
  zone    = local.zone
  type    = "pd-balanced"
  size    = 50
}

resource "google_compute_disk_resource_policy_attachment" "snapshots" {
  project = var.project
  name    = google_compute_resource_policy.snapshots.name
  disk    = google_compute_disk.data.name
  zone    = local.zone
}

resource "google_compute_instance" "airflow" {
  project                   = var.project
  name                      = "tributary"
  zone                      = local.zone
  machine_type              = var.machine_type
  tags                      = ["tributary"]
  allow_stopping_for_update = true
  metadata = {
    enable-oslogin         = "TRUE"
    block-project-ssh-keys = "TRUE"
    startup-script         = file("${path.module}/startup.sh")
  }
  boot_disk {
    initialize_params {
      image = "ubuntu-os-cloud/ubuntu-2404-lts-amd64"
      size  = 30
    }
  }
  # Docker's volumes, with Airflow's metadata among them, outlive the machine.
  attached_disk {
    source      = google_compute_disk.data.id
    device_name = "data"
  }
  network_interface {
    subnetwork = google_compute_subnetwork.this.id
  }
  service_account {
    email  = var.airflow
    scopes = ["cloud-platform"]
  }
  shielded_instance_config {
    enable_secure_boot          = true
    enable_vtpm                 = true
    enable_integrity_monitoring = true
  }
  lifecycle {
    ignore_changes = [boot_disk[0].initialize_params[0].image]
  }
}

resource "google_iap_tunnel_instance_iam_member" "tunnel" {
  for_each = local.people
  project  = var.project
  zone     = local.zone
  instance = google_compute_instance.airflow.name
  role     = "roles/iap.tunnelResourceAccessor"
  member   = each.value
}

resource "google_compute_instance_iam_member" "login" {
  for_each      = local.people
  project       = var.project
  zone          = local.zone
  instance_name = google_compute_instance.airflow.name
  role          = "roles/compute.osAdminLogin"
  member        = each.value
}
