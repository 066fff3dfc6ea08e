# METADATA
# title: What is kept of an exchange, and for how long
# description: |
#   Judged when the exchange has ended. The sealed raw bytes are always kept; this decides what can be read and
#   searched, and how it is masked. Without a finding everything is kept in full, in the default retention class, with
#   every type masked that is on by default.
package skilltape.record

import data.skilltape.lib.facts
import data.skilltape.lib.findings
import data.skilltape.lib.lists
import data.skilltape.lib.masking
import data.skilltape.lib.privacy
import data.skilltape.lib.retention

default decision := {
	"keep": "metadata",
	"retention_class": "standard",
	"privacy": {"person": "pseudonym", "address": "dropped", "groups": "dropped"},
	"reasons": [{"rule": "skilltape/policy_undefined", "message": "The policy gave no decision."}],
}

# METADATA
# description: The decision document of `record`.
# entrypoint: true
decision := object.union(kept, {
	"masking": masking.decide(_entries, kept.retention_class),
	"privacy": privacy.decide(_entries),
}) if {
	kept := retention.decide(_entries)
}

_entries contains entry if some entry in findings.named("record", data.skilltape.rules.record)

_entries contains findings.malformed_input(facts.record_faults)

_entries contains findings.malformed_lists(lists.faults | masking.list_faults)
