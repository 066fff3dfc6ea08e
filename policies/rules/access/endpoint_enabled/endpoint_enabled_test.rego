package skilltape.rules.access.endpoint_enabled_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.endpoint_enabled

test_success_endpoints_of_the_shipped_list if {
	every endpoint in [
		"messages.create", "messages.count_tokens", "messages.cache_touch", "complete.create", "batches.create",
		"batches.results", "files.upload", "files.download", "skills.create", "skills.versions.download", "models.list",
		"sessions.create", "sessions.events.send", "sessions.events.stream", "sessions.threads.stream", "agents.create",
		"agents.versions.list", "deployments.run", "deployment_runs.get", "environments.create", "environments.work.ack",
		"memory_stores.create", "memories.create", "memory_versions.redact", "dreams.create", "user_profiles.create",
	] {
		count(endpoint_enabled.findings) == 0 with input as _to(endpoint)
	}
}

test_success_what_other_rules_refuse if {
	count(endpoint_enabled.findings) == 0 with input as _treated("unknown", "unknown")
	count(endpoint_enabled.findings) == 0 with input as _treated("vaults.create", "secrets")
}

test_success_single_endpoint_of_a_family if {
	count(endpoint_enabled.findings) == 0 with input as _to("files.list")
		with data.lists.endpoints.allowed as ["files.list", "models.*"]
}

test_fail_endpoint_that_is_not_listed if {
	endpoint_enabled.findings == {{
		"effect": "deny",
		"message": concat(" ", [
			"The endpoint \"files.upload\" is not enabled at this gateway.",
			"Enabled are: files.list, models.*.",
		]),
	}} with input as _to("files.upload") with data.lists.endpoints.allowed as ["models.*", "files.list"]
}

test_fail_entries_that_only_look_alike if {
	every entry in ["files", "file*", "*", ".*", "files.", "files.*.x", "Files.*", "files.uploads", "files.upload.*"] {
		count(endpoint_enabled.findings) == 1 with input as _to("files.upload")
			with data.lists.endpoints.allowed as [entry]
	}
}

test_fail_nothing_listed if {
	count(endpoint_enabled.findings) == 1 with input as example.access with data.lists.endpoints.allowed as []
}

_to(endpoint) := _treated(endpoint, "settings")

_treated(endpoint, treatment) := example.access_with({"request": {
	"endpoint": endpoint,
	"endpoint_treatment": treatment,
}})
