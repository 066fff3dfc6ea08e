# METADATA
# title: Requests beyond the budget that a list gives the caller
# description: |
#   Each of `lists.budgets.rules` has the most that its callers may use `per_day`, `per_session` and `per_minute`. A
#   request is judged by what was used before it. Where a budget of money meets requests without a price, it is used up,
#   unless `unpriced` allows it: nothing is guessed.
# scope: package
# schemas:
#   - input: schema.request.input
#   - data.lists.budgets: schema.budgets.list
# custom:
#   totals: lists.budgets.rules
package skilltape.rules.request.budget

import data.skilltape.lib.when

findings contains {"effect": entry.effect, "message": message} if {
	some entry in _entries
	some period, words in {"per_day": "today", "per_session": "in this session", "per_minute": "in this minute"}
	some name, most in entry[period]
	used := _used(period)[name]
	used >= most
	message := $"Your budget of {most} {_units[name]} is used up {words}."
}

findings contains {"effect": entry.effect, "message": _unpriced} if {
	some entry in _entries
	not entry.unpriced
	some period in ["per_day", "per_session"]
	entry[period].spend
	_is_unpriced(_used(period))
}

findings contains {
	"effect": "deny",
	"message": "The gateway could not tell what you have used before, so it cannot keep your budget.",
} if {
	count(_entries) > 0
	not input.totals.counted
}

# What is no prompt uses nothing.
_entries := [entry |
	some entry in when.met(data.lists.budgets.rules)
	input.request.endpoint_treatment == "prompt"
]

_units := {
	"requests": "requests",
	"input_tokens": "tokens of prompts",
	"output_tokens": "tokens of answers",
	"tokens": "tokens",
	"spend": "money",
}

# Functions: rules of this package would be reckoned, and look at what was used, where there is no budget.
_used("per_day") := _with_tokens(input.totals.day)

_used("per_session") := _with_tokens(input.totals.session)

_used("per_minute") := input.totals.minute

_with_tokens(sums) := object.union(sums, {"tokens": sums.input_tokens + sums.output_tokens})

_unpriced := "What you use has no price in the table of this gateway, so your budget cannot be kept."

_is_unpriced(_) if not input.totals.priced

_is_unpriced(used) if used.unpriced_requests > 0
