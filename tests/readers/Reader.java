// Prints "bytes sha256 name" of each member: java Reader.java directory|stream ARCHIVE

import java.io.BufferedInputStream;
import java.io.FileInputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.Collections;
import java.util.HexFormat;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

public class Reader {
    private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

    public static void main(String[] args) throws Exception {
        switch (args[0]) {
            case "directory" -> byDirectory(args[1]);
            case "stream" -> byLocalHeaders(args[1]);
            default -> throw new IllegalArgumentException(args[0]);
        }
    }

    private static void byDirectory(String path) throws Exception {
        try (ZipFile archive = new ZipFile(path)) {
            for (ZipEntry entry : Collections.list(archive.entries())) {
                try (InputStream text = archive.getInputStream(entry)) {
                    print(entry, text);
                }
            }
        }
    }

    /** Knows nothing of the directory at the end, as a program that unpacks while downloading. */
    private static void byLocalHeaders(String path) throws Exception {
        try (InputStream file = new BufferedInputStream(new FileInputStream(path), 1 << 16);
                ZipInputStream archive = new ZipInputStream(file)) {
            for (ZipEntry entry; (entry = archive.getNextEntry()) != null; ) {
                print(entry, archive);
            }
        }
    }

    private static void print(ZipEntry entry, InputStream text) throws Exception {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        byte[] buffer = new byte[1 << 16];
        long bytes = 0;
        for (int count; (count = text.read(buffer)) >= 0; ) {
            digest.update(buffer, 0, count);
            bytes += count;
        }
        if (bytes != entry.getSize()) {
            throw new IllegalStateException(entry.getName() + ": " + entry.getSize() + " promised");
        }
        OUT.println(bytes + " " + HexFormat.of().formatHex(digest.digest()) + " " + entry.getName());
    }
}
