# METADATA
# title: Lists of what may be used
# description: |
#   An entry says in `when` for whom it counts, and beside it what they may use, by patterns: whole names, or a beginning
#   followed by `*`. What several entries say is added up. A list without entries allows everything; as soon as it has
#   one, whoever none counts for may use nothing.
package skilltape.lib.allowed

import data.skilltape.lib.lists
import data.skilltape.lib.when

# METADATA
# description: |
#   Of these names the ones that no entry allows. `field` is where an entry has its patterns, `by_default` what counts
#   for one without that field.
refused(entries, field, by_default, names) := names - lists.fitting(patterns, names) if {
	count(entries) > 0
	count(names) > 0
	patterns := {pattern |
		some entry in when.met(entries)
		some pattern in object.get(entry, field, by_default)
	}
} else := set()

# METADATA
# description: |
#   The same for hosts, where `*.example.com` stands for every host below `example.com`: a beginning says nothing of
#   whose a host is.
refused_hosts(entries, hosts) := {host |
	count(entries) > 0
	count(hosts) > 0
	patterns := {pattern |
		some entry in when.met(entries)
		some pattern in entry.hosts
	}
	some host in hosts
	not _is_named(patterns, host)
}

_is_named(patterns, host) if host in patterns

_is_named(patterns, _) if "*" in patterns

_is_named(patterns, host) if {
	some pattern in patterns
	startswith(pattern, "*.")
	endswith(host, trim_prefix(pattern, "*"))
}
