# METADATA
# title: May this operator look at this
# description: Judged before anything is shown. Nobody may unless a rule's list says so.
package skilltape.console

import data.skilltape.lib.console
import data.skilltape.lib.findings

default decision := {
	"verdict": "deny",
	"reasons": [{"rule": "skilltape/policy_undefined", "message": "The policy gave no decision."}],
	"limits": {"values_per_operator_per_hour": 0, "values_per_person_per_hour": 0},
}

# METADATA
# description: The decision document of `console`.
# entrypoint: true
decision := object.union(
	{"verdict": _verdict, "reasons": findings.reasons(_entries), "limits": console.limits},
	object.union(_persons, _terms),
)

_persons := {"persons": console.persons} if {
	input.action in {"decide", "grant", "break_glass"}
} else := {}

_terms := {"terms": console.terms} if {
	_verdict == "allow"
	console.terms
} else := {}

_verdict := "deny" if {
	count(_entries) > 0
} else := "allow"

_entries contains entry if some entry in findings.named("console", data.skilltape.rules.console)

_entries contains findings.malformed_input(console.input_faults)

_entries contains findings.malformed_lists(console.list_faults)
