"""The RFC agent protocol: SAP ECC behind one HTTPS service."""
