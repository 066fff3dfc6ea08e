package skilltape.rules.access.endpoint_known_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.endpoint_known

test_success_every_treatment_but_unknown if {
	every treatment in ["prompt", "content", "settings", "housekeeping", "secrets"] {
		count(endpoint_known.findings) == 0 with input as _of("messages.create", treatment)
	}
}

test_fail_unknown_path if {
	endpoint_known.findings == {{
		"effect": "deny",
		"message": "This method and path are not known as an endpoint of the Claude API.",
	}} with input as _of("unknown", "unknown")
}

test_fail_known_path_with_unknown_bodies if {
	endpoint_known.findings == {{
		"effect": "deny",
		"message": concat(" ", [
			"What goes over the endpoint \"claude_code.remote.write\"",
			"is not understood by this gateway.",
		]),
	}} with input as _of("claude_code.remote.write", "unknown")
}

test_fail_whatever_the_lists_say if {
	count(endpoint_known.findings) == 1 with input as _of("claude_code.remote.write", "unknown")
		with data.lists.endpoints as {"allowed": ["claude_code.*"], "allowed_with_secrets": ["claude_code.*"]}
}

test_fail_other_treatment if {
	every treatment in ["", "Prompt", "record"] {
		count(endpoint_known.findings) == 1 with input as _of("messages.create", treatment)
	}
}

_of(endpoint, treatment) := example.access_with({"request": {
	"endpoint": endpoint,
	"endpoint_treatment": treatment,
}})
