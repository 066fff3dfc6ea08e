package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"
)

// Every exchange gets a number of its own in place of this text, so that each is a new conversation of the same size.
const serialMark = "SERIALSERIAL"

const exchangeTimeout = 30 * time.Second

type plan struct {
	address     string
	request     []byte
	expected    []byte
	tls         *tls.Config
	firstSerial int64
	begin, end  time.Time
}

// One exchange that began within the measured time, or failed at any time.
type sample struct {
	firstByte, whole time.Duration
}

type worker struct {
	samples  []sample
	all      int
	failures []string
}

type result struct {
	Exchanges    int     `json:"exchanges"`
	All          int     `json:"exchangesWithWarmup"`
	Failures     int     `json:"failures"`
	FirstFailure string  `json:"firstFailure,omitempty"`
	Seconds      float64 `json:"seconds"`
	Latency      spread  `json:"latencyMs"`
	FirstByte    spread  `json:"firstByteMs"`
}

type spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
}

// runLoad keeps a fixed number of exchanges under way. It prints `begin` and `end` around the measured time, and then
// the result as one line of JSON.
func runLoad(arguments []string) error {
	flags := flag.NewFlagSet("load", flag.ExitOnError)
	target := flags.String("url", "", "https URL of the gateway")
	authority := flags.String("ca", "", "PEM file of the authority")
	bodyFile := flags.String("body", "", "file with the request's body")
	answer := flags.String("answer", "json", "json or sse")
	concurrency := flags.Int("concurrency", 1, "exchanges under way")
	warmup := flags.Duration("warmup", time.Second, "before measuring")
	measured := flags.Duration("measured", time.Second, "time measured")
	firstSerial := flags.Int64("first-serial", 0, "number of the first exchange")
	_ = flags.Parse(arguments)
	body, err := os.ReadFile(*bodyFile)
	if err != nil {
		return err
	}
	work, err := planOf(*target, *authority, body, *answer)
	if err != nil {
		return err
	}
	work.firstSerial = *firstSerial
	work.begin = time.Now().Add(*warmup)
	work.end = work.begin.Add(*measured)
	workers := make([]worker, *concurrency)
	var group sync.WaitGroup
	// Waited for as well: without its lines a result says nothing about CPU.
	group.Go(func() {
		time.Sleep(time.Until(work.begin))
		fmt.Println("begin")
		time.Sleep(time.Until(work.end))
		fmt.Println("end")
	})
	for i := range workers {
		group.Go(func() { workers[i].run(work, int64(i), int64(*concurrency)) })
	}
	group.Wait()
	return json.NewEncoder(os.Stdout).Encode(resultOf(workers, *measured))
}

func planOf(target, authorityFile string, body []byte, answer string) (*plan, error) {
	where, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	pem, err := os.ReadFile(authorityFile)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, errors.New("the file of the authority has no certificate")
	}
	head := fmt.Sprintf("POST %s HTTP/1.1\r\nhost: %s\r\ncontent-type: application/json\r\nanthropic-version: 2023-06-01\r\n"+
		"user-agent: claude-cli/2.1.330 (external, sdk-cli)\r\nauthorization: Bearer %s\r\ncontent-length: %d\r\n\r\n",
		where.RequestURI(), where.Host, os.Getenv("BENCH_TOKEN"), len(body))
	expected := jsonAnswer()
	if answer == "sse" {
		expected = bytes.Join(sseAnswer(), nil)
	}
	return &plan{
		address:  where.Host,
		request:  append([]byte(head), body...),
		expected: expected,
		tls:      &tls.Config{RootCAs: roots, ServerName: where.Hostname(), NextProtos: []string{"http/1.1"}},
	}, nil
}

const failuresMax = 100

func (w *worker) run(work *plan, serial, step int64) {
	caller := caller{plan: work, request: slices.Clone(work.request)}
	caller.answer = make([]byte, 0, len(work.expected))
	caller.findMarks()
	defer caller.close()
	for serial += work.firstSerial; ; serial += step {
		started := time.Now()
		if started.After(work.end) {
			return
		}
		measured, err := caller.exchange(serial)
		w.all++
		if err != nil {
			caller.close()
			w.failures = append(w.failures, err.Error())
			if len(w.failures) >= failuresMax {
				return
			}
			continue
		}
		// What is not over at the end is not counted: the rate is of whole exchanges within the time.
		finished := started.Add(measured.whole)
		if finished.After(work.begin) && !finished.After(work.end) {
			w.samples = append(w.samples, measured)
		}
	}
}

// caller is one client with one connection, as lean as HTTP/1.1 allows.
type caller struct {
	plan       *plan
	request    []byte
	marks      []int
	answer     []byte
	connection net.Conn
	reader     *bufio.Reader
}

func (c *caller) findMarks() {
	for at := 0; ; {
		found := bytes.Index(c.request[at:], []byte(serialMark))
		if found < 0 {
			return
		}
		c.marks = append(c.marks, at+found)
		at += found + len(serialMark)
	}
}

func (c *caller) exchange(serial int64) (sample, error) {
	if c.connection == nil {
		if err := c.connect(); err != nil {
			return sample{}, err
		}
	}
	number := fmt.Sprintf("%0*x", len(serialMark), serial)
	for _, at := range c.marks {
		copy(c.request[at:], number)
	}
	started := time.Now()
	_ = c.connection.SetDeadline(started.Add(exchangeTimeout))
	if _, err := c.connection.Write(c.request); err != nil {
		return sample{}, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return sample{}, err
	}
	firstByte := time.Since(started)
	answer := bytes.NewBuffer(c.answer[:0])
	if _, err := io.Copy(answer, response.Body); err != nil {
		return sample{}, err
	}
	whole := time.Since(started)
	if response.StatusCode != http.StatusOK {
		return sample{}, fmt.Errorf("status %d: %.300s", response.StatusCode, answer.Bytes())
	}
	if !bytes.Equal(answer.Bytes(), c.plan.expected) {
		return sample{}, fmt.Errorf("the answer is not the upstream's: %.300s", answer.Bytes())
	}
	return sample{firstByte: firstByte, whole: whole}, nil
}

func (c *caller) connect() error {
	connection, err := tls.Dial("tcp", c.plan.address, c.plan.tls)
	if err != nil {
		return err
	}
	c.connection = connection
	c.reader = bufio.NewReaderSize(connection, 16*1024)
	return nil
}

func (c *caller) close() {
	if c.connection != nil {
		_ = c.connection.Close()
		c.connection = nil
	}
}

func resultOf(workers []worker, measured time.Duration) result {
	sum := result{Seconds: measured.Seconds()}
	var whole, firstByte []time.Duration
	for _, each := range workers {
		sum.All += each.all
		sum.Failures += len(each.failures)
		if sum.FirstFailure == "" && len(each.failures) > 0 {
			sum.FirstFailure = each.failures[0]
		}
		for _, one := range each.samples {
			whole = append(whole, one.whole)
			firstByte = append(firstByte, one.firstByte)
		}
	}
	sum.Exchanges = len(whole)
	sum.Latency, sum.FirstByte = spreadOf(whole), spreadOf(firstByte)
	return sum
}

func spreadOf(durations []time.Duration) spread {
	if len(durations) == 0 {
		return spread{}
	}
	slices.Sort(durations)
	at := func(share float64) float64 {
		return float64(durations[int(share*float64(len(durations)-1))]) / float64(time.Millisecond)
	}
	return spread{P50: at(0.5), P99: at(0.99)}
}
