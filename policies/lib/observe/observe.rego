# METADATA
# title: Which findings are only observed
# description: |
#   `lists.observe` names `connections` and `rules` (`request/model_allowed`) whose verdict is recorded and not enforced.
#   What stands for a fault is always enforced: a policy that cannot be read or gives no clear effect, a body that cannot
#   be judged, a caller without an identity.
package skilltape.lib.observe

# METADATA
# description: Rules without which a request would pass that nobody can judge, or of nobody known.
always_enforced := {
	"access/content_type",
	"access/endpoint_known",
	"access/endpoint_secrets",
	"access/identity_required",
	"request/body_parsed",
}

# METADATA
# description: True for an entry with the name of its rule that is recorded and not enforced.
is_observed(entry) if {
	may_be_left(entry)
	_is_listed(entry.rule)
}

# METADATA
# description: True for an entry that somebody could choose not to enforce, because it stands for no fault.
may_be_left(entry) if {
	entry.finding.effect in {"deny", "hold"}
	startswith(entry.rule, "skilltape/") == false
	not entry.rule in always_enforced
}

_is_listed(rule) if rule in data.lists.observe.rules

_is_listed(_) if input.connection.name in data.lists.observe.connections
