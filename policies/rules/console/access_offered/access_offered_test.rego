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

# Another provider may give the same name to other people.
test_fail_a_group_of_that_name_at_another_provider if {
	denied := {"The policy does not let you ask for access to this."}
	partner := "https://partner.example"
	stranger := object.union(example.console.person, {"issuer": partner})
	by_console := object.union(example.person_operator, {"issuer": partner})
	every operator in [example.console.operator, object.union(example.console.operator, _home), by_console] {
		_messages({"person": stranger, "operator": operator}, [offer]) == denied
		_messages({"person": stranger, "operator": operator}, [_of(example.console.person.issuer)]) == denied
		_messages({"person": stranger, "operator": operator}, [_of(partner)]) == set()
		_messages({"person": stranger, "operator": operator}, [object.remove(_of(partner), {"groups"})]) == set()
	}
	_messages({}, [object.remove(_of(partner), {"groups"})]) == denied
}

test_fail_whose_groups_are_meant_is_not_known if {
	asked := object.union(example.console, {"action": "ask", "grant": _grant})
	unknown := json.remove(asked, ["operator/home_issuer"])
	count(access_offered.findings) == 1 with input as unknown with data.lists.access_requests.rules as [offer]
	count(access_offered.findings) == 0 with input as unknown
		with data.lists.access_requests.rules as [_of(example.console.person.issuer)]
}

_home := {"home_issuer": example.console.person.issuer}

_of(issuer) := object.union(offer, {"issuer": issuer})

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
