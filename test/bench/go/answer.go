package main

import (
	"fmt"
	"strings"
)

// The answers are the same for every request, so that the load generator can compare each byte of what it gets.
const (
	jsonAnswerBytes = 1024
	deltasPerStream = 35
)

const usage = `"usage":{"input_tokens":58,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"output_tokens":%d,"service_tier":"standard"}`

const envelope = `"id":"msg_01BenchAAAAAAAAAAAAAAAAA","type":"message","role":"assistant","model":"claude-opus-5-5","stop_sequence":null,`

func jsonAnswer() []byte {
	before := `{` + envelope + fmt.Sprintf(usage, 200) + `,"stop_reason":"end_turn","content":[{"type":"text","text":"`
	after := `","citations":null}]}`
	words := strings.Repeat("the contract runs for two years and ", jsonAnswerBytes)
	return []byte(before + words[:jsonAnswerBytes-len(before)-len(after)] + after)
}

// sseAnswer gives the frames of a stream of 40 events, one element for each write.
func sseAnswer() [][]byte {
	frames := [][]byte{
		frame("message_start", `"message":{`+envelope+fmt.Sprintf(usage, 1)+`,"stop_reason":null,"content":[]}`),
		frame("content_block_start", `"index":0,"content_block":{"type":"text","text":"","citations":null}`),
	}
	for i := range deltasPerStream {
		text := fmt.Sprintf("piece %02d of an answer that is told in parts ", i)
		frames = append(frames, frame("content_block_delta", `"index":0,"delta":{"type":"text_delta","text":"`+text+`"}`))
	}
	return append(frames,
		frame("content_block_stop", `"index":0`),
		frame("message_delta", `"delta":{"stop_reason":"end_turn","stop_sequence":null},`+fmt.Sprintf(usage, 300)),
		frame("message_stop", ""),
	)
}

func frame(kind string, fields string) []byte {
	if fields != "" {
		fields = "," + fields
	}
	return []byte("event: " + kind + "\ndata: {\"type\":\"" + kind + "\"" + fields + "}\n\n")
}
