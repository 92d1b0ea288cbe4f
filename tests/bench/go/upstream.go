package main

import (
	"bufio"
	"fmt"
	"net"
	"net/textproto"
	"os"
	"strconv"
	"strings"
)

// upstream answers every request with the bytes of a file, as cheaply as Go can: net/http would cost more than the
// gateways it stands behind.
func upstream(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: bench upstream REPLY_FILE")
	}
	body, err := os.ReadFile(args[0])
	if err != nil {
		return err
	}
	reply := []byte(fmt.Sprintf(
		"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
	listener, err := listen()
	if err != nil {
		return err
	}
	for {
		connection, err := listener.Accept()
		if err != nil {
			return err
		}
		go answer(connection, reply)
	}
}

func answer(connection net.Conn, reply []byte) {
	defer connection.Close()
	reader := bufio.NewReaderSize(connection, 16<<10)
	for {
		length, err := readHead(reader)
		if err != nil {
			return
		}
		if _, err := reader.Discard(length); err != nil {
			return
		}
		if _, err := connection.Write(reply); err != nil {
			return
		}
	}
}

// readHead reads a start line and headers, and gives the Content-Length.
func readHead(reader *bufio.Reader) (int, error) {
	length := 0
	for {
		line, err := reader.ReadSlice('\n')
		if err != nil {
			return 0, err
		}
		if len(line) <= 2 {
			return length, nil
		}
		if len(line) > 16 && (line[0] == 'C' || line[0] == 'c') && strings.EqualFold(string(line[:15]), "content-length:") {
			if length, err = strconv.Atoi(textproto.TrimString(string(line[15:]))); err != nil {
				return 0, err
			}
		}
	}
}
