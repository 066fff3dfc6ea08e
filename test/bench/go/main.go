// Command bench holds the parts of the benchmark that must not take the CPU of a Node process: the load generator, the
// upstream, and the empty external processor that skilltape is compared with.
package main

import (
	"fmt"
	"os"
)

var commands = map[string]func(arguments []string) error{
	"load":      runLoad,
	"upstream":  runUpstream,
	"processor": runProcessor,
}

func main() {
	if len(os.Args) < 2 || commands[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: bench load|upstream|processor [options]")
		os.Exit(2)
	}
	if err := commands[os.Args[1]](os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
