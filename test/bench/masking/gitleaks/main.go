// Gitleaks with its own rules over documents of the benchmark.
//
//	usage: gitleaks DOCUMENTS.jsonl RESULT.json
//
// Writes {"cpuSeconds": ..., "secrets": [["...", ...], ...]}: what was found in each document.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"
	"syscall"

	"github.com/rs/zerolog"
	"github.com/zricethezav/gitleaks/v8/detect"
)

const lineMaxBytes = 64 << 20

type document struct {
	Text string `json:"text"`
}

type result struct {
	CPUSeconds float64    `json:"cpuSeconds"`
	Secrets    [][]string `json:"secrets"`
}

func main() {
	zerolog.SetGlobalLevel(zerolog.Disabled)
	documents, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	detector, err := detect.NewDetectorDefaultConfig()
	if err != nil {
		log.Fatal(err)
	}
	detector.DetectString("nothing to see here")
	found := result{Secrets: [][]string{}}
	began := cpuSeconds()
	for _, each := range documents {
		secrets := []string{}
		for _, finding := range detector.DetectString(each.Text) {
			secrets = append(secrets, finding.Secret)
		}
		found.Secrets = append(found.Secrets, secrets)
	}
	found.CPUSeconds = cpuSeconds() - began
	written, err := json.Marshal(found)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], written, 0o600); err != nil {
		log.Fatal(err)
	}
}

func read(path string) ([]document, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var documents []document
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, lineMaxBytes)
	for lines.Scan() {
		var next document
		if err := json.Unmarshal(lines.Bytes(), &next); err != nil {
			return nil, err
		}
		documents = append(documents, next)
	}
	return documents, lines.Err()
}

// All threads of the process, the collector of garbage included.
func cpuSeconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	seconds := func(t syscall.Timeval) float64 { return float64(t.Sec) + float64(t.Usec)/1e6 }
	return seconds(usage.Utime) + seconds(usage.Stime)
}
