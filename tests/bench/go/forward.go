package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// forward is the floor: it reads the request, sends its body on, and relays the answer, with net/http on both sides.
// It does nothing else that a gateway does.
func forward(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: bench forward UPSTREAM_URL")
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true}}
	return http.Serve(listener, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := relay(client, args[0]+r.URL.Path, w, r); err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
		}
	}))
}

func relay(client *http.Client, url string, w http.ResponseWriter, r *http.Request) error {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	onward, err := http.NewRequestWithContext(r.Context(), r.Method, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	onward.Header.Set("Content-Type", "application/json")
	onward.Header.Set("Authorization", "Bearer "+r.Header.Get("X-Provider-Key"))
	response, err := client.Do(onward)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", response.Header.Get("Content-Type"))
	w.Header().Set("Content-Length", strconv.Itoa(len(reply)))
	w.WriteHeader(response.StatusCode)
	_, err = w.Write(reply)
	return err
}
