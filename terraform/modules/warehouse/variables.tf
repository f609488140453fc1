variable "project" { type = string }
variable "location" { type = string }
variable "identities" { type = map(string) }
variable "analysts" { type = string }
variable "stage_expiration_days" { type = number }

variable "share_stream_status" {
  description = "Whether ops.stream_status exists, so that analysts can be let in."
  type        = bool
}
