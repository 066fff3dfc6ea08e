package skilltape.rules.console.access_offered_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.console.access_offered

offer := {"groups": ["staff"], "connections": ["cl*"], "quorum": 1, "open_minutes": 60, "grant_minutes": 120}

test_success_what_a_group_can_ask_for if {
	_messages({}, [offer]) == set()
	_messages({}, [object.remove(offer, {"groups"})]) == set()
	_messages({"action": "reveal"}, []) == set()
}

test_fail_what_is_not_offered if {
	every offers in [[], [object.union(offer, {"groups": ["other"]})], [object.union(offer, {"connections": ["sandbox"]})]] {
		_messages({}, offers) == {"The policy does not let you ask for access to this."}
	}
	count(_messages({"person": null}, [object.remove(offer, {"groups"})])) == 1
}

test_fail_longer_than_offered if {
	of := {"connection": "claude", "skill": "", "model": "", "minutes": 121}
	_messages({"grant": of}, [offer]) == {"The policy gives this for at most 120 minutes."}
	_messages({"grant": object.union(of, {"minutes": 120})}, [offer]) == set()
}

_grant := {"connection": "claude", "skill": "", "model": "", "minutes": 60}

_messages(change, offers) := {finding.message | some finding in found} if {
	document := object.union(example.console, object.union({"action": "ask", "grant": _grant}, change))
	found := access_offered.findings with input as document with data.lists.access_requests.rules as offers
}
