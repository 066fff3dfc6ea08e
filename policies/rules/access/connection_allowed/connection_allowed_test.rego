package skilltape.rules.access.connection_allowed_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.access.connection_allowed

test_success_list_without_entries if count(connection_allowed.findings) == 0 with input as example.access

test_success_connection_of_an_entry if {
	every entry in [{"connections": ["cl*"]}, {"when": {"groups": ["staff"]}, "connections": ["sandbox", "claude"]}] {
		count(_of([entry])) == 0
	}
}

test_fail_connection_that_no_entry_names if {
	every entry in [{"connections": ["sandbox"]}, {"when": {"groups": ["other"]}, "connections": ["claude"]}] {
		_of([entry]) == {{
			"effect": "deny",
			"message": "You may not use the connection \"claude\".",
			"grant": {"kind": "connection"},
		}}
	}
}

test_success_message_says_how_to_ask_where_the_caller_can if {
	some finding in connection_allowed.findings with input as example.access
		with data.lists.allowed_connections.rules as [{"connections": ["sandbox"]}]
		with data.lists.access_requests.rules as [{"groups": ["staff"], "connections": ["claude"]}]
	contains(finding.message, "skilltape request-access --connection \"claude\" --for 2h --reason")
}

test_fail_message_says_nothing_of_asking_to_others if {
	every offer in [{"groups": ["other"], "connections": ["claude"]}, {"connections": ["sandbox"]}, {"skills": ["claude"]}] {
		_of_with([{"connections": ["sandbox"]}], [offer]) == _of([{"connections": ["sandbox"]}])
	}
}

_of(rules) := findings if {
	findings := connection_allowed.findings with input as example.access
		with data.lists.allowed_connections.rules as rules
}

_of_with(rules, offers) := findings if {
	findings := connection_allowed.findings with input as example.access
		with data.lists.allowed_connections.rules as rules
		with data.lists.access_requests.rules as offers
}
