// Command bench holds the tools that measure the gateway and must not be what is measured: a fast upstream, a bare
// forwarder to compare with, and a load generator. Standard library only.
package main

import (
	"fmt"
	"net"
	"os"
)

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("usage: bench upstream | forward | load"))
	}
	tools := map[string]func([]string) error{"upstream": upstream, "forward": forward, "load": load}
	run, known := tools[os.Args[1]]
	if !known {
		fail(fmt.Errorf("unknown tool %q", os.Args[1]))
	}
	if err := run(os.Args[2:]); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// listen opens a port of the system's choice and prints it, so that whoever started us knows when and where.
func listen() (net.Listener, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err == nil {
		fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	}
	return listener, err
}
