package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"

	referralv1 "huhang.example/gen/huhang/referral/v1"
	"huhang.example/services/sampleline"
)

// subscribe makes the address an endpoint of the sample's referring hospital; asked again it is the same one, with the
// same secret.
func subscribe(ctx context.Context, out io.Writer, client *sampleline.Client, address string) error {
	hospital, err := client.As(ctx, sampleline.Person{Subject: "his", Organisation: "H-HF-01", Role: "coordinator"})
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(address))
	var made referralv1.CreateWebhookEndpointResponse
	err = hospital.Do(ctx, http.MethodPost, "/v1/webhook-endpoints", &referralv1.CreateWebhookEndpointRequest{
		RequestId: fmt.Sprintf("dev-webhook-%x", sum[:10]), Url: address, Description: "huhang dev",
	}, &made)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "webhook %s of H-HF-01: %s, signed with %s\n\n", made.GetEndpoint().GetEndpointId(), address, made.GetSecret())
	return nil
}
