package main

import (
	"fmt"
	"net/http"
	"net/http/httputil"
	"net/url"
)

// forward is the floor: the forwarder that Go's own library ships, with a pool large enough to keep its connections.
// It moves the key to the header the provider reads, and does nothing else that a gateway does.
func forward(args []string) error {
	if len(args) != 1 {
		return fmt.Errorf("usage: bench forward UPSTREAM_URL")
	}
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	listener, err := listen()
	if err != nil {
		return err
	}
	return http.Serve(listener, &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			request.SetURL(target)
			request.Out.Header.Set("Authorization", "Bearer "+request.In.Header.Get("X-Provider-Key"))
			request.Out.Header.Del("X-Provider-Key")
		},
		Transport: &http.Transport{MaxIdleConnsPerHost: 512, DisableCompression: true},
	})
}
