# METADATA
# title: May this identity use this connection and endpoint
# description: Judged from the headers, before any byte of the body.
package skilltape.access

import data.skilltape.lib.facts
import data.skilltape.lib.findings
import data.skilltape.lib.lists
import data.skilltape.lib.verdict

default decision := {
	"verdict": "deny",
	"status": 403,
	"reasons": [{"rule": "skilltape/policy_undefined", "message": "The policy gave no decision."}],
}

# METADATA
# description: The decision document of `access`.
# entrypoint: true
decision := verdict.decide(_entries)

_entries contains entry if some entry in findings.named("access", data.skilltape.rules.access)

_entries contains findings.malformed_input(facts.access_faults)

_entries contains findings.malformed_lists(lists.faults)
