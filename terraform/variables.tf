variable "environment" {
  description = "dev or prod. Only dev runs the builds of pull requests."
  type        = string
  validation {
    condition     = contains(["dev", "prod"], var.environment)
    error_message = "environment is dev or prod."
  }
}

variable "project" {
  description = "Google Cloud project id; it exists already and is linked to the billing account."
  type        = string
}

variable "project_number" {
  description = "Number of that project; the budget is filtered by it."
  type        = string
}

variable "location" {
  description = "Where all data lies: datasets, lake, policy tags, secrets' replicas follow `region`. Cannot be changed later."
  type        = string
  default     = "US"
}

variable "region" {
  description = "Where Airflow runs; inside `location`, since load jobs read the lake."
  type        = string
  default     = "us-central1"
}

variable "lake_bucket" {
  description = "Name of the lake's bucket, unique in all of Google Cloud."
  type        = string
}

variable "state_bucket" {
  description = "Bucket of Terraform's state, made by hand once (terraform/README.md)."
  type        = string
}

variable "landing_days" {
  description = "After so many days landed pages expire. A window can be replayed without the API for as long."
  type        = number
  default     = 90
}

variable "staged_days" {
  description = "After so many days staged files expire. They can be made again from landed pages."
  type        = number
  default     = 14
}

variable "connections" {
  description = "Airflow connections of the clients (clients.yml) and of the key for personal data; each gets a secret. Their values are set by hand."
  type        = set(string)
  default     = ["stripe_default", "hubspot_default", "pii_default"]
}

variable "clients_file" {
  description = "The clients of this deployment (TRIBUTARY_CLIENTS_FILE), seen from here; the freshness check names them."
  type        = string
  default     = "../include/clients.yml"
}

variable "analysts" {
  description = "Google group that reads the marts."
  type        = string
}

variable "operators" {
  description = "Google group that may act as the pipeline's identities, to look into a failure or load by hand."
  type        = string
}

variable "github_repository" {
  description = "owner/name of the repository whose workflows deploy."
  type        = string
}

variable "github_repository_id" {
  description = "Its number (gh api repos/OWNER/NAME --jq .id). A name can be taken over after a rename, the number can't."
  type        = string
}

variable "billing_account" {
  description = "Billing account that the budget belongs to."
  type        = string
}

variable "monthly_budget" {
  description = "Units of the billing account's currency per month; mails go out at 50, 90 and 100 % and when 100 % is forecast."
  type        = number
}

variable "alert_email" {
  description = "Where alerts go."
  type        = string
}

variable "audit_log_days" {
  description = "How long the audit log is kept."
  type        = number
  default     = 400
}

variable "machine_type" {
  description = "The machine that runs docker-compose.yaml."
  type        = string
  default     = "e2-standard-4"
}

variable "loaded" {
  description = "Set to true after the first load: the ops tables, which the pipeline creates, can then be watched and shared."
  type        = bool
  default     = false
}
