"""The world that both simulators serve: what happens, when, and how every object looked at any instant."""
