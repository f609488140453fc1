variable "project" { type = string }
variable "region" { type = string }
variable "machine_type" { type = string }
variable "airflow" { type = string }
variable "deploy" { type = string }
variable "operators" { type = string }
