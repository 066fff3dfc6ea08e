package skilltape.rules.record.connection_recording_test

import data.skilltape.lib.example_test as example
import data.skilltape.rules.record.connection_recording

test_success_connection_that_records_in_full if {
	count(connection_recording.findings) == 0 with input as example.record
}

test_fail_connection_that_keeps_metadata if {
	document := example.record_with({"connection": {"recording": "metadata"}})
	count(connection_recording.findings) == 1 with input as document
}
