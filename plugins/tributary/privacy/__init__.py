"""Rules for personal data, applied while records are flattened: hash, mask or drop. No Airflow."""
