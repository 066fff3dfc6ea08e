package main

import (
	"bytes"
	"crypto/tls"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
)

// runUpstream speaks as much of Claude as the load needs: JSON, or a stream when the body asks for one.
// It prints the port that it listens on.
func runUpstream(arguments []string) error {
	flags := flag.NewFlagSet("upstream", flag.ExitOnError)
	certificate := flags.String("certificate", "", "PEM file")
	privateKey := flags.String("private-key", "", "PEM file")
	apiKey := flags.String("api-key", "", "refuse requests without this x-api-key")
	_ = flags.Parse(arguments)
	pair, err := tls.LoadX509KeyPair(*certificate, *privateKey)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	config := &tls.Config{Certificates: []tls.Certificate{pair}, NextProtos: []string{"http/1.1"}}
	server := &http.Server{Handler: upstream(*apiKey)}
	return server.Serve(tls.NewListener(listener, config))
}

func upstream(apiKey string) http.HandlerFunc {
	whole, frames := jsonAnswer(), sseAnswer()
	return func(response http.ResponseWriter, request *http.Request) {
		body, err := io.ReadAll(request.Body)
		if err != nil {
			return
		}
		if request.Header.Get("x-api-key") != apiKey {
			http.Error(response, "no credential", http.StatusUnauthorized)
			return
		}
		response.Header().Set("request-id", "req_01BenchAAAAAAAAAAAAAAAAA")
		if !bytes.Contains(body, []byte(`"stream":true`)) {
			response.Header().Set("content-type", "application/json")
			response.Header().Set("content-length", strconv.Itoa(len(whole)))
			_, _ = response.Write(whole)
			return
		}
		response.Header().Set("content-type", "text/event-stream; charset=utf-8")
		for _, each := range frames {
			_, _ = response.Write(each)
			response.(http.Flusher).Flush()
		}
	}
}
