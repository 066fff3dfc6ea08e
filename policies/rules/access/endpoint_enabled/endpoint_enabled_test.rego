package skilltape.rules.access.endpoint_enabled_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.endpoint_enabled

test_success_enabled_kinds if {
	every kind in ["messages", "count_tokens", "models"] {
		count(endpoint_enabled.findings) == 0 with input as _of_kind(kind)
	}
}

test_fail_kinds_that_are_not_enabled if {
	every kind in ["other", "files", "skills", "batches", "sessions", "", "Messages"] {
		count(endpoint_enabled.findings) == 1 with input as _of_kind(kind)
	}
}

test_fail_names_the_endpoint_and_the_enabled_kinds if {
	endpoint_enabled.findings == {{
		"effect": "deny",
		"message": concat(" ", [
			"The endpoint \"vaults.create\" is not enabled at this gateway.",
			"Enabled are: count_tokens, messages, models.",
		]),
	}} with input as example.access_with({"request": {"endpoint": "vaults.create", "endpoint_kind": "other"}})
}

test_fail_unknown_path_is_not_repeated if {
	some finding in endpoint_enabled.findings with input as _of_kind("unknown")
	startswith(finding.message, "This method and path are not known")
}

_of_kind(kind) := example.access_with({"request": {"endpoint_kind": kind}})
