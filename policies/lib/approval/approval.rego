# METADATA
# title: What an approval takes
# description: |
#   `lists.approval` says it for everything that is held, its `rules` for the rules that they name, and a finding for
#   itself in `approval`; each may say a part. What cannot be read of these does not count, and a reason says so: what
#   stands above it counts. Where several rules hold a request, the strictest of all counts.
package skilltape.lib.approval

# METADATA
# description: The terms for named findings that hold.
terms(entries) := object.union(
	{
		"approvers": sort({group | some list in approvers; some group in list}),
		"quorum": max({one.quorum | some one in each}),
		"open_minutes": min({one.open_minutes | some one in each}),
		"scopes": _common([one.scopes | some one in each]),
		"grant_minutes": min({one.grant_minutes | some one in each}),
		"risk": _highest({one.risk | some one in each}),
	},
	_lists(approvers),
) if {
	each := {_of(entry) | some entry in entries}
	approvers := {one.approvers | some one in each; count(one.approvers) > 0}
} else := _default

# METADATA
# description: Entries of which a part of the terms cannot be read.
malformed(entries) := {entry | some entry in entries; some part in _parts(entry); not _is_sound(part)}

_default := object.remove(_list, {"rules"})

_list := object.get(data.lists, "approval", {})

_of(entry) := object.union_n(array.concat([_default], [part | some part in _parts(entry); _is_sound(part)]))

_parts(entry) := array.concat(
	[part | part := _list.rules[entry.rule]],
	[part | part := entry.finding.approval],
)

# Whoever approves is in one group of each list.
_lists(approvers) := {"approver_lists": sort(approvers)} if {
	count(approvers) > 1
} else := {}

_scopes := ["request", "session", "skill"]

_common(offered) := common if {
	common := [scope | some scope in _scopes; every scopes in offered { scope in scopes }]
	count(common) > 0
} else := ["request"]

_risks := ["low", "medium", "high"]

_highest(risks) := _risks[max({place | some place, risk in _risks; risk in risks})]

_is_sound(part) if {
	is_object(part)
	every name, value in part { _is_sound_field(name, value) }
}

_is_sound_field("approvers", value) if {
	is_array(value)
	count(value) <= 100
	every group in value {
		is_string(group)
		group != ""
		count(group) <= 200
	}
}

_is_sound_field("quorum", value) if _is_within(value, 10)

_is_sound_field("open_minutes", value) if _is_within(value, 10080)

_is_sound_field("grant_minutes", value) if _is_within(value, 10080)

_is_sound_field("scopes", value) if {
	is_array(value)
	count(value) > 0
	every scope in value { scope in _scopes }
}

_is_sound_field("risk", value) if value in _risks

_is_within(value, most) if {
	is_number(value)
	value >= 1
	value <= most
	floor(value) == value
}
