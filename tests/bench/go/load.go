package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"math/rand"
	"net"
	"os"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"
)

// summary is what one run of the load generator prints, as JSON.
type summary struct {
	Requests int     `json:"requests"`
	Failures int     `json:"failures"`
	Seconds  float64 `json:"seconds"`
	P50Ms    float64 `json:"p50_ms"`
	P99Ms    float64 `json:"p99_ms"`
}

type options struct {
	address     string
	connections int
	seconds     float64
	rate        float64
	promptChars int
	words       []string
	seed        int64
}

// load sends chat completions, each with a text that was never sent before. Without a rate it is a closed loop: each
// connection sends its next request when it has its answer. With one it is an open loop: requests leave on time.
func load(args []string) error {
	var o options
	var wordFile string
	flags := flag.NewFlagSet("load", flag.ContinueOnError)
	flags.StringVar(&o.address, "address", "", "host:port")
	flags.IntVar(&o.connections, "connections", 32, "connections")
	flags.Float64Var(&o.seconds, "seconds", 3, "duration")
	flags.Float64Var(&o.rate, "rate", 0, "requests a second; 0 is a closed loop")
	flags.IntVar(&o.promptChars, "chars", 1024, "characters of a prompt")
	flags.StringVar(&wordFile, "words", "", "file of words to write prompts with")
	flags.Int64Var(&o.seed, "seed", time.Now().UnixNano(), "seed")
	if err := flags.Parse(args); err != nil {
		return err
	}
	text, err := os.ReadFile(wordFile)
	if err != nil {
		return err
	}
	o.words = strings.Fields(string(text))
	callers, err := dial(o)
	if err != nil {
		return err
	}
	run := closedLoop
	if o.rate > 0 {
		run = openLoop
	}
	began := time.Now()
	run(o, callers)
	return json.NewEncoder(os.Stdout).Encode(summarise(callers, time.Since(began)))
}

// caller is one connection and what it has seen.
type caller struct {
	connection net.Conn
	reader     *bufio.Reader
	random     *rand.Rand
	options    options
	body       bytes.Buffer
	request    bytes.Buffer
	latencies  []time.Duration
	failures   int
}

func dial(o options) ([]*caller, error) {
	callers := make([]*caller, o.connections)
	for i := range callers {
		connection, err := net.Dial("tcp", o.address)
		if err != nil {
			return nil, err
		}
		callers[i] = &caller{
			connection: connection,
			reader:     bufio.NewReaderSize(connection, 16<<10),
			random:     rand.New(rand.NewSource(o.seed + int64(i))),
			options:    o,
		}
	}
	return callers, nil
}

func closedLoop(o options, callers []*caller) {
	end := time.Now().Add(time.Duration(o.seconds * float64(time.Second)))
	var running sync.WaitGroup
	for _, each := range callers {
		running.Add(1)
		go func(c *caller) {
			defer running.Done()
			for time.Now().Before(end) && c.call() {
			}
		}(each)
	}
	running.Wait()
}

func openLoop(o options, callers []*caller) {
	due := make(chan struct{}, len(callers))
	var running sync.WaitGroup
	for _, each := range callers {
		running.Add(1)
		go func(c *caller) {
			defer running.Done()
			alive := true
			for range due {
				alive = alive && c.call()
			}
		}(each)
	}
	interval := time.Duration(float64(time.Second) / o.rate)
	next := time.Now()
	for end := next.Add(time.Duration(o.seconds * float64(time.Second))); next.Before(end); next = next.Add(interval) {
		time.Sleep(time.Until(next))
		due <- struct{}{}
	}
	close(due)
	running.Wait()
}

// call sends one request and reads its answer; false when the connection is of no more use.
func (c *caller) call() bool {
	c.write()
	began := time.Now()
	if _, err := c.connection.Write(c.request.Bytes()); err != nil {
		c.failures++
		return false
	}
	status, err := c.reader.ReadString('\n')
	if err != nil {
		c.failures++
		return false
	}
	length, err := readHead(c.reader)
	if err == nil {
		_, err = c.reader.Discard(length)
	}
	if err != nil {
		c.failures++
		return false
	}
	if !strings.HasPrefix(status, "HTTP/1.1 200") {
		c.failures++
		return true
	}
	c.latencies = append(c.latencies, time.Since(began))
	return true
}

func (c *caller) write() {
	c.body.Reset()
	c.body.WriteString(`{"model":"gpt-4o-mini","messages":[{"role":"user","content":"`)
	for start := c.body.Len(); c.body.Len()-start < c.options.promptChars; {
		c.body.WriteString(c.options.words[c.random.Intn(len(c.options.words))])
		c.body.WriteByte(' ')
	}
	c.body.WriteString(`"}]}`)
	c.request.Reset()
	c.request.WriteString("POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n" +
		"X-Provider-Key: sk-bench-0123456789\r\nContent-Length: ")
	c.request.WriteString(strconv.Itoa(c.body.Len()))
	c.request.WriteString("\r\n\r\n")
	c.request.Write(c.body.Bytes())
}

func summarise(callers []*caller, took time.Duration) summary {
	var all []time.Duration
	failures := 0
	for _, c := range callers {
		all = append(all, c.latencies...)
		failures += c.failures
		c.connection.Close()
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	at := func(share float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[int(share*float64(len(all)-1))]) / float64(time.Millisecond)
	}
	return summary{len(all), failures, took.Seconds(), at(0.5), at(0.99)}
}
