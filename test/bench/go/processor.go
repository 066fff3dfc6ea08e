package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"net"

	extproc "github.com/envoyproxy/go-control-plane/envoy/service/ext_proc/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"
)

// runProcessor serves the processor that does nothing: the least that Envoy's protocol takes in our modes.
func runProcessor(arguments []string) error {
	flags := flag.NewFlagSet("processor", flag.ExitOnError)
	socket := flags.String("socket", "", "unix socket to listen on")
	_ = flags.Parse(arguments)
	listener, err := net.Listen("unix", *socket)
	if err != nil {
		return err
	}
	server := grpc.NewServer()
	extproc.RegisterExternalProcessorServer(server, emptyProcessor{})
	grpc_health_v1.RegisterHealthServer(server, health.NewServer())
	return server.Serve(listener)
}

type emptyProcessor struct {
	extproc.UnimplementedExternalProcessorServer
}

func (emptyProcessor) Process(stream extproc.ExternalProcessor_ProcessServer) error {
	for {
		request, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		response := replyTo(request)
		if response == nil {
			return status.Error(codes.Internal, fmt.Sprintf("unknown message %T", request.Request))
		}
		if err := stream.Send(response); err != nil {
			return err
		}
	}
}

// verdict is what the lock behind the filter in Envoy's configuration asks for.
var verdict = &structpb.Struct{Fields: map[string]*structpb.Value{
	"skilltape": structpb.NewStructValue(&structpb.Struct{Fields: map[string]*structpb.Value{
		"verdict": structpb.NewStringValue("allow"),
	}}),
}}

// replyTo lets everything pass. A request body in FULL_DUPLEX_STREAMED mode goes upstream only when it is sent back.
func replyTo(request *extproc.ProcessingRequest) *extproc.ProcessingResponse {
	switch message := request.Request.(type) {
	case *extproc.ProcessingRequest_RequestHeaders:
		headers := &extproc.HeadersResponse{}
		return &extproc.ProcessingResponse{
			Response:        &extproc.ProcessingResponse_RequestHeaders{RequestHeaders: headers},
			DynamicMetadata: verdict,
		}
	case *extproc.ProcessingRequest_RequestBody:
		echo := &extproc.StreamedBodyResponse{
			Body:        message.RequestBody.Body,
			EndOfStream: message.RequestBody.EndOfStream,
		}
		mutation := &extproc.BodyMutation{Mutation: &extproc.BodyMutation_StreamedResponse{StreamedResponse: echo}}
		body := &extproc.BodyResponse{Response: &extproc.CommonResponse{BodyMutation: mutation}}
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestBody{RequestBody: body}}
	case *extproc.ProcessingRequest_RequestTrailers:
		trailers := &extproc.TrailersResponse{}
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_RequestTrailers{RequestTrailers: trailers}}
	case *extproc.ProcessingRequest_ResponseHeaders:
		headers := &extproc.HeadersResponse{}
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ResponseHeaders{ResponseHeaders: headers}}
	case *extproc.ProcessingRequest_ResponseBody:
		body := &extproc.BodyResponse{}
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ResponseBody{ResponseBody: body}}
	case *extproc.ProcessingRequest_ResponseTrailers:
		trailers := &extproc.TrailersResponse{}
		return &extproc.ProcessingResponse{Response: &extproc.ProcessingResponse_ResponseTrailers{ResponseTrailers: trailers}}
	}
	return nil
}
