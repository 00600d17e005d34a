"""`chargeback rejected`: what the function could not read, listed, shown, and sent again once the cause is mended."""
