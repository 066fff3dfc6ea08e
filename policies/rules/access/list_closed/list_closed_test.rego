package skilltape.rules.access.list_closed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.list_closed

test_success_whatever_asks_for_one_thing if {
	every endpoint in ["files.get", "files.upload", "batches.results", "skills.versions.list", "sessions.events.list", "models.list"] {
		count(list_closed.findings) == 0 with input as _to(endpoint)
	}
}

test_success_lists_that_are_opened if {
	count(list_closed.findings) == 0 with input as _to("files.list") with data.lists.ownership.closed as ["skills.list"]
}

test_success_lists_that_the_connection_filters if {
	filtered := example.access_with({"request": {"endpoint": "files.list", "list_filtered": true}})
	count(list_closed.findings) == 0 with input as filtered
}

test_fail_lists_of_the_shipped_list if {
	every endpoint in [
		"files.list", "batches.list", "skills.list", "sessions.list",
		"agents.list", "environments.list", "deployments.list", "deployment_runs.list",
		"memory_stores.list", "dreams.list", "user_profiles.list",
	] {
		count(list_closed.findings) == 1 with input as _to(endpoint)
	}
}

test_fail_says_what_to_do if {
	list_closed.findings == {{
		"effect": "deny",
		"message": concat(" ", [
			"The endpoint \"files.list\" is closed at this gateway:",
			"its answer shows what other people made. Ask for what is yours by its id.",
		]),
	}} with input as _to("files.list")
}

_to(endpoint) := example.access_with({"request": {"endpoint": endpoint}})
