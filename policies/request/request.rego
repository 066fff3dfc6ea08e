# METADATA
# title: May this request go to Claude
# description: Judged when the whole body was read, from facts about it; `access` was judged before.
package skilltape.request

import data.skilltape.lib.facts
import data.skilltape.lib.findings
import data.skilltape.lib.found
import data.skilltape.lib.lists
import data.skilltape.lib.verdict

default decision := {
	"verdict": "deny",
	"status": 403,
	"reasons": [{"rule": "skilltape/policy_undefined", "message": "The policy gave no decision."}],
}

# METADATA
# description: The decision document of `request`.
# entrypoint: true
decision := verdict.decide(_entries)

_entries contains entry if some entry in findings.named("request", data.skilltape.rules.request)

_entries contains findings.malformed_input(facts.request_faults)

_entries contains findings.malformed_lists(lists.faults | found.list_faults)
